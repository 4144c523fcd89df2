import type { KubernetesCluster } from '@cdktf/provider-azurerm/lib/kubernetes-cluster/index.js'
import type { ResourceGroup } from '@cdktf/provider-azurerm/lib/resource-group/index.js'
import { RoleAssignment } from '@cdktf/provider-azurerm/lib/role-assignment/index.js'
import { Construct } from 'constructs'
import type { AzureEnvironment } from '../environment.ts'
import { WORKLOADS } from '../names.ts'
import { workloadIdentity } from './identity.ts'
import type { AzureNetwork } from './network.ts'

export interface AzureDnsOptions {
  readonly environment: AzureEnvironment
  readonly group: ResourceGroup
  readonly network: AzureNetwork
  readonly cluster: KubernetesCluster
}

/** The private zone, and the right of external-dns to write names into it and into no other. */
export class AzureDns extends Construct {
  constructor(scope: Construct, options: AzureDnsOptions) {
    super(scope, 'dns')
    const zone = options.network.zone(options.environment.dnsZone)
    const identity = workloadIdentity(this, 'writer', { ...options, workload: WORKLOADS.dns })
    new RoleAssignment(this, 'writer-writes', {
      scope: zone.id,
      roleDefinitionName: 'Private DNS Zone Contributor',
      principalId: identity.principalId,
    })
    // It lists the zones of the group before it writes.
    new RoleAssignment(this, 'writer-lists', {
      scope: options.group.id,
      roleDefinitionName: 'Reader',
      principalId: identity.principalId,
    })
  }
}
