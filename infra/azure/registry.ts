import { ContainerRegistry } from '@cdktf/provider-azurerm/lib/container-registry/index.js'
import type { KubernetesCluster } from '@cdktf/provider-azurerm/lib/kubernetes-cluster/index.js'
import type { ResourceGroup } from '@cdktf/provider-azurerm/lib/resource-group/index.js'
import { RoleAssignment } from '@cdktf/provider-azurerm/lib/role-assignment/index.js'
import { SecurityCenterSubscriptionPricing } from '@cdktf/provider-azurerm/lib/security-center-subscription-pricing/index.js'
import { UserAssignedIdentity } from '@cdktf/provider-azurerm/lib/user-assigned-identity/index.js'
import { Construct } from 'constructs'
import type { AzureEnvironment } from '../environment.ts'
import { shortName } from '../names.ts'
import type { AzureKeys } from './keys.ts'
import type { AzureNetwork } from './network.ts'

export interface AzureRegistryOptions {
  readonly environment: AzureEnvironment
  readonly group: ResourceGroup
  readonly network: AzureNetwork
  readonly keys: AzureKeys
  readonly cluster: KubernetesCluster
}

/**
 * A registry that only private networks reach, scanned by Defender. Azure locks tags one by one and not for a whole registry: name images
 * by digest (`platform.guardDigest`).
 */
export class AzureRegistry extends Construct {
  constructor(scope: Construct, { environment, group, network, keys, cluster }: AzureRegistryOptions) {
    super(scope, 'registry')
    const place = { resourceGroupName: group.name, location: environment.region }
    const identity = new UserAssignedIdentity(this, 'identity', {
      ...place,
      name: `${environment.name}-registry`,
    })
    const registry = new ContainerRegistry(this, 'registry', {
      ...place,
      name: environment.platform.images.split('.')[0] ?? shortName(environment, 'images'),
      sku: 'Premium',
      adminEnabled: false,
      anonymousPullEnabled: false,
      publicNetworkAccessEnabled: false,
      zoneRedundancyEnabled: true,
      retentionPolicyInDays: 14,
      identity: { type: 'UserAssigned', identityIds: [identity.id] },
      encryption: [
        { keyVaultKeyId: keys.key('registry').versionlessId, identityClientId: identity.clientId },
      ],
      dependsOn: [keys.allow('registry', identity.principalId)],
    })
    network.privateService({
      name: 'images',
      resourceId: registry.id,
      part: 'registry',
      zones: ['privatelink.azurecr.io'],
    })
    new RoleAssignment(this, 'nodes-pull', {
      scope: registry.id,
      roleDefinitionName: 'AcrPull',
      principalId: cluster.kubeletIdentity.objectId,
    })
    // Scans every image that is pushed, and again when new weaknesses become known. It is a setting of the whole subscription.
    new SecurityCenterSubscriptionPricing(this, 'scan', { resourceType: 'Containers', tier: 'Standard' })
  }
}
