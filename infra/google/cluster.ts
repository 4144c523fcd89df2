import { ComputeFirewall } from '@cdktf/provider-google/lib/compute-firewall/index.js'
import {
  ContainerCluster,
  type ContainerClusterConfig,
} from '@cdktf/provider-google/lib/container-cluster/index.js'
import {
  ContainerNodePool,
  type ContainerNodePoolNodeConfig,
} from '@cdktf/provider-google/lib/container-node-pool/index.js'
import { ProjectIamMember } from '@cdktf/provider-google/lib/project-iam-member/index.js'
import { ServiceAccount } from '@cdktf/provider-google/lib/service-account/index.js'
import { Construct } from 'constructs'
import type { GoogleEnvironment, NodePool } from '../environment.ts'
import { poolLabels, poolTaints } from '../names.ts'
import type { GoogleKeys } from './keys.ts'
import type { GoogleNetwork } from './network.ts'

export interface GoogleClusterOptions {
  readonly environment: GoogleEnvironment
  readonly network: GoogleNetwork
  readonly keys: GoogleKeys
}

/** A regional GKE cluster whose API server answers inside the network only, and its node pools. */
export class GoogleCluster extends Construct {
  readonly cluster: ContainerCluster
  /** What nodes are: they may write logs and metrics, and pull images, and nothing else. */
  readonly nodeAccount: ServiceAccount
  private readonly options: GoogleClusterOptions

  constructor(scope: Construct, options: GoogleClusterOptions) {
    super(scope, 'cluster')
    this.options = options
    const { environment, keys } = options
    this.nodeAccount = new ServiceAccount(this, 'nodes', {
      accountId: `${environment.name}-nodes`,
      displayName: 'Nodes of the cluster',
    })
    new ProjectIamMember(this, 'nodes-role', {
      project: environment.project,
      role: 'roles/container.defaultNodeServiceAccount',
      member: `serviceAccount:${this.nodeAccount.email}`,
    })
    this.cluster = new ContainerCluster(this, 'gke', {
      ...this.access(),
      ...this.features(),
      name: environment.name,
      location: environment.region,
      nodeLocations: [...environment.zones],
      minMasterVersion: environment.kubernetes.version,
      resourceLabels: { ...environment.tags },
      databaseEncryption: { state: 'ENCRYPTED', keyName: keys.id('secrets') },
      removeDefaultNodePool: true,
      initialNodeCount: 1,
      nodeConfig: { bootDiskKmsKey: keys.id('disks'), ...identity(this.nodeAccount) },
      deletionProtection: true,
      dependsOn: [keys.grant('secrets'), keys.grant('disks')],
    })
    for (const pool of environment.nodePools) this.pool(pool)
    this.webhooks()
  }

  private access(): Partial<ContainerClusterConfig> {
    const { environment, network } = this.options
    return {
      network: network.network.id,
      subnetwork: network.subnet.id,
      networkingMode: 'VPC_NATIVE',
      ipAllocationPolicy: { clusterSecondaryRangeName: 'pods', servicesSecondaryRangeName: 'services' },
      privateClusterConfig: {
        enablePrivateNodes: true,
        enablePrivateEndpoint: true,
        masterIpv4CidrBlock: environment.controlPlaneCidr,
        masterGlobalAccessConfig: { enabled: false },
      },
      // Its other endpoint, by name, would answer whoever has a token, from anywhere.
      controlPlaneEndpointsConfig: { dnsEndpointConfig: { allowExternalTraffic: false } },
      masterAuthorizedNetworksConfig: {
        gcpPublicCidrsAccessEnabled: false,
        cidrBlocks: environment.operators.map((cidrBlock) => ({ cidrBlock })),
      },
      masterAuth: { clientCertificateConfig: { issueClientCertificate: false } },
      enableLegacyAbac: false,
      workloadIdentityConfig: { workloadPool: `${environment.project}.svc.id.goog` },
    }
  }

  private features(): Partial<ContainerClusterConfig> {
    return {
      // Dataplane V2 keeps NetworkPolicies; without one pods reach models behind their guard.
      datapathProvider: 'ADVANCED_DATAPATH',
      enableIntranodeVisibility: true,
      enableShieldedNodes: true,
      releaseChannel: { channel: 'REGULAR' },
      // Of workloads only audit records are kept, and those in a bucket of their own.
      loggingConfig: {
        enableComponents: ['SYSTEM_COMPONENTS', 'APISERVER', 'CONTROLLER_MANAGER', 'SCHEDULER'],
      },
      monitoringConfig: { enableComponents: ['SYSTEM_COMPONENTS'], managedPrometheus: { enabled: false } },
      securityPostureConfig: { mode: 'BASIC', vulnerabilityMode: 'VULNERABILITY_DISABLED' },
      addonsConfig: { gcePersistentDiskCsiDriverConfig: { enabled: true } },
    }
  }

  /** GKE lets the control plane reach nodes at 443 and 10250 only; admission webhooks and KEDA's metrics listen elsewhere. */
  private webhooks(): void {
    const { environment, network } = this.options
    new ComputeFirewall(this, 'webhooks', {
      name: `${environment.name}-webhooks`,
      network: network.network.id,
      direction: 'INGRESS',
      sourceRanges: [environment.controlPlaneCidr],
      targetServiceAccounts: [this.nodeAccount.email],
      allow: [{ protocol: 'tcp', ports: ['6443', '8443', '9443'] }],
    })
  }

  private pool(pool: NodePool): void {
    const { environment, keys } = this.options
    new ContainerNodePool(this, pool.name, {
      name: pool.name,
      cluster: this.cluster.id,
      location: environment.region,
      version: environment.kubernetes.version,
      autoscaling: { minNodeCount: pool.min, maxNodeCount: pool.max },
      management: { autoRepair: true, autoUpgrade: true },
      networkConfig: { enablePrivateNodes: true },
      upgradeSettings: { maxSurge: 1, maxUnavailable: 0 },
      nodeConfig: {
        ...identity(this.nodeAccount),
        ...gpu(pool),
        machineType: pool.machine,
        imageType: 'COS_CONTAINERD',
        diskSizeGb: pool.diskGb,
        diskType: 'pd-balanced',
        bootDiskKmsKey: keys.id('disks'),
        labels: poolLabels(pool),
        taint: poolTaints(pool).map((taint) => ({ ...taint, effect: 'NO_SCHEDULE' })),
        spot: pool.spot === true,
        resourceLabels: { ...environment.tags },
      },
      // GKE moves minor versions with the release channel.
      lifecycle: { ignoreChanges: ['version'] },
    })
  }
}

/** Pods see the metadata server of their own identity, not the node's. */
const identity = (account: ServiceAccount): ContainerNodePoolNodeConfig => ({
  serviceAccount: account.email,
  oauthScopes: ['https://www.googleapis.com/auth/cloud-platform'],
  metadata: { 'disable-legacy-endpoints': 'true' },
  workloadMetadataConfig: { mode: 'GKE_METADATA' },
  shieldedInstanceConfig: { enableSecureBoot: true, enableIntegrityMonitoring: true },
})

const gpu = ({ gpu: wanted }: NodePool): ContainerNodePoolNodeConfig =>
  wanted === undefined
    ? {}
    : {
        guestAccelerator: [
          {
            type: wanted.product,
            count: wanted.count,
            gpuDriverInstallationConfig: { gpuDriverVersion: 'DEFAULT' },
          },
        ],
      }
