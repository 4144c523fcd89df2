import { DiskEncryptionSet } from '@cdktf/provider-azurerm/lib/disk-encryption-set/index.js'
import { KubernetesClusterNodePool } from '@cdktf/provider-azurerm/lib/kubernetes-cluster-node-pool/index.js'
import {
  KubernetesCluster,
  type KubernetesClusterConfig,
} from '@cdktf/provider-azurerm/lib/kubernetes-cluster/index.js'
import type { ResourceGroup } from '@cdktf/provider-azurerm/lib/resource-group/index.js'
import { RoleAssignment } from '@cdktf/provider-azurerm/lib/role-assignment/index.js'
import { UserAssignedIdentity } from '@cdktf/provider-azurerm/lib/user-assigned-identity/index.js'
import { Construct } from 'constructs'
import type { AzureEnvironment, NodePool } from '../environment.ts'
import { poolLabels, poolTaints } from '../names.ts'
import type { AzureKeys } from './keys.ts'
import type { AzureNetwork } from './network.ts'

export interface AzureClusterOptions {
  readonly environment: AzureEnvironment
  readonly group: ResourceGroup
  readonly network: AzureNetwork
  readonly keys: AzureKeys
}

/** An AKS cluster whose API server answers in private networks only, and its node pools. */
export class AzureCluster extends Construct {
  readonly cluster: KubernetesCluster
  private readonly options: AzureClusterOptions

  constructor(scope: Construct, options: AzureClusterOptions) {
    super(scope, 'cluster')
    this.options = options
    const { environment, keys } = options
    const disks = this.disks()
    const identity = new UserAssignedIdentity(this, 'identity', this.place(environment.name))
    // A zone of our own, as AKS would not let the runner's network resolve its one.
    const zone = options.network.zone(`privatelink.${environment.region}.azmk8s.io`)
    const rights = [
      keys.allow('secrets', identity.principalId),
      new RoleAssignment(this, 'joins-network', {
        scope: options.network.network.id,
        roleDefinitionName: 'Network Contributor',
        principalId: identity.principalId,
      }),
      new RoleAssignment(this, 'names-api-server', {
        scope: zone.id,
        roleDefinitionName: 'Private DNS Zone Contributor',
        principalId: identity.principalId,
      }),
      // AKS connects its control plane with a private vault itself.
      new RoleAssignment(this, 'joins-vault', {
        scope: keys.vault.id,
        roleDefinitionName: 'Key Vault Contributor',
        principalId: identity.principalId,
      }),
    ]
    this.cluster = new KubernetesCluster(this, 'aks', {
      ...this.place(environment.name),
      ...this.access(zone.id),
      ...this.features(),
      kubernetesVersion: environment.kubernetes.version,
      identity: { type: 'UserAssigned', identityIds: [identity.id] },
      diskEncryptionSetId: disks.id,
      keyManagementService: { keyVaultKeyId: keys.key('secrets').id, keyVaultNetworkAccess: 'Private' },
      defaultNodePool: this.systemPool(),
      dependsOn: [...rights, ...options.network.ready],
    })
    for (const pool of environment.nodePools) this.pool(pool)
  }

  private place(name: string) {
    const { group, environment } = this.options
    return { name, resourceGroupName: group.name, location: environment.region }
  }

  private disks(): DiskEncryptionSet {
    const { environment, keys } = this.options
    const identity = new UserAssignedIdentity(this, 'disks-identity', this.place(`${environment.name}-disks`))
    return new DiskEncryptionSet(this, 'disks', {
      ...this.place(`${environment.name}-disks`),
      keyVaultKeyId: keys.key('disks').versionlessId,
      autoKeyRotationEnabled: true,
      identity: { type: 'UserAssigned', identityIds: [identity.id] },
      dependsOn: [keys.allow('disks', identity.principalId)],
    })
  }

  private access(zoneId: string): Partial<KubernetesClusterConfig> {
    const { environment, network } = this.options
    return {
      dnsPrefix: environment.name,
      privateClusterEnabled: true,
      privateClusterPublicFqdnEnabled: false,
      privateDnsZoneId: zoneId,
      // AKS asks a private vault for keys only from inside the network.
      apiServerAccessProfile: { virtualNetworkIntegrationEnabled: true, subnetId: network.apiServer.id },
      // It would run commands in the cluster from outside the network.
      runCommandEnabled: false,
      localAccountDisabled: true,
      roleBasedAccessControlEnabled: true,
      azureActiveDirectoryRoleBasedAccessControl: {
        azureRbacEnabled: true,
        tenantId: environment.tenantId,
        adminGroupObjectIds: [...environment.administrators],
      },
      oidcIssuerEnabled: true,
      workloadIdentityEnabled: true,
    }
  }

  private features(): Partial<KubernetesClusterConfig> {
    return {
      skuTier: 'Standard',
      automaticUpgradeChannel: 'patch',
      nodeOsUpgradeChannel: 'NodeImage',
      // The shipper is told before a node ends, and sends what it still has.
      autoScalerProfile: {
        daemonsetEvictionForEmptyNodesEnabled: true,
        daemonsetEvictionForOccupiedNodesEnabled: true,
      },
      imageCleanerEnabled: true,
      imageCleanerIntervalHours: 168,
      // Cilium keeps NetworkPolicies; without one pods reach models behind their guard.
      networkProfile: {
        networkPlugin: 'azure',
        networkPluginMode: 'overlay',
        networkDataPlane: 'cilium',
        networkPolicy: 'cilium',
        podCidr: '100.64.0.0/14',
        serviceCidr: '100.68.0.0/20',
        dnsServiceIp: '100.68.0.10',
        outboundType: 'userAssignedNATGateway',
      },
    }
  }

  /** AKS wants one pool for its own pods; the environment's first machine is used for it. */
  private systemPool(): KubernetesClusterConfig['defaultNodePool'] {
    const { environment, network } = this.options
    return {
      name: 'system',
      vmSize: environment.nodePools[0]?.machine ?? 'Standard_D4s_v5',
      nodeCount: 3,
      zones: ['1', '2', '3'],
      onlyCriticalAddonsEnabled: true,
      vnetSubnetId: network.nodes.id,
      nodePublicIpEnabled: false,
      hostEncryptionEnabled: true,
      temporaryNameForRotation: 'systemtmp',
      tags: { ...environment.tags },
      upgradeSettings: { maxSurge: '33%' },
    }
  }

  private pool(pool: NodePool): void {
    const { environment, network } = this.options
    new KubernetesClusterNodePool(this, pool.name, {
      name: pool.name,
      kubernetesClusterId: this.cluster.id,
      mode: 'User',
      vmSize: pool.machine,
      autoScalingEnabled: true,
      minCount: pool.min,
      maxCount: pool.max,
      osDiskSizeGb: pool.diskGb,
      osSku: 'AzureLinux',
      zones: pool.gpu === undefined ? ['1', '2', '3'] : [],
      orchestratorVersion: environment.kubernetes.version,
      vnetSubnetId: network.nodes.id,
      nodePublicIpEnabled: false,
      hostEncryptionEnabled: true,
      nodeLabels: {
        ...poolLabels(pool),
        ...(pool.spot === true ? { 'kubernetes.azure.com/scalesetpriority': 'spot' } : {}),
      },
      ...taints(pool),
      ...(pool.gpu === undefined ? {} : { gpuDriver: 'Install' }),
      // AKS adds no nodes before it takes those away that it may take back at any time.
      ...(pool.spot === true
        ? { priority: 'Spot', evictionPolicy: 'Delete', spotMaxPrice: -1 }
        : { upgradeSettings: { maxSurge: '33%' } }),
    })
  }
}

const taints = (pool: NodePool) => {
  const written = [
    ...poolTaints(pool).map(({ key, value }) => `${key}=${value}:NoSchedule`),
    // AKS puts it there itself, and the provider asks that it be said.
    ...(pool.spot === true ? ['kubernetes.azure.com/scalesetpriority=spot:NoSchedule'] : []),
  ]
  return written.length === 0 ? {} : { nodeTaints: written }
}
