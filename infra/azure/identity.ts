import { FederatedIdentityCredential } from '@cdktf/provider-azurerm/lib/federated-identity-credential/index.js'
import type { KubernetesCluster } from '@cdktf/provider-azurerm/lib/kubernetes-cluster/index.js'
import type { ResourceGroup } from '@cdktf/provider-azurerm/lib/resource-group/index.js'
import { UserAssignedIdentity } from '@cdktf/provider-azurerm/lib/user-assigned-identity/index.js'
import type { Construct } from 'constructs'
import type { AzureEnvironment } from '../environment.ts'
import type { Workload } from '../names.ts'

export interface WorkloadIdentityOptions {
  readonly environment: AzureEnvironment
  readonly group: ResourceGroup
  readonly cluster: KubernetesCluster
  readonly workload: Workload
}

/** The identity of one ServiceAccount of the cluster, by Azure Workload Identity. Without rights of its own. */
export const workloadIdentity = (
  scope: Construct,
  id: string,
  { environment, group, cluster, workload }: WorkloadIdentityOptions,
): UserAssignedIdentity => {
  const identity = new UserAssignedIdentity(scope, id, {
    name: identityName(environment, workload),
    resourceGroupName: group.name,
    location: environment.region,
  })
  new FederatedIdentityCredential(scope, `${id}-identity`, {
    name: workload.serviceAccount,
    resourceGroupName: group.name,
    parentId: identity.id,
    issuer: cluster.oidcIssuerUrl,
    subject: `system:serviceaccount:${workload.namespace}:${workload.serviceAccount}`,
    audience: ['api://AzureADTokenExchange'],
  })
  return identity
}

export const identityName = ({ name }: AzureEnvironment, { serviceAccount }: Workload): string =>
  `${name}-${serviceAccount}`
