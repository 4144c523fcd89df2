/** Everything that differs between two installations. One file per environment in `environments/` fills this in. */
export type Environment = AwsEnvironment | GoogleEnvironment | AzureEnvironment

interface Common {
  /** Prefix of every name, such as `postern-prod`. Lower case, digits and hyphens; at most 20 characters, as clouds bound names. */
  readonly name: string
  readonly region: string
  /** On every resource that takes tags or labels. Google allows lower case, digits, `-` and `_` only, so use no others. */
  readonly tags: Tags
  readonly network: Network
  readonly kubernetes: Kubernetes
  readonly nodePools: readonly NodePool[]
  readonly audit: Audit
  /** Days that logs of the control plane and of the network are kept. Clouds allow certain numbers: 30, 90, 180 and 365 fit all. */
  readonly logDays: 30 | 90 | 180 | 365
  /** Private zone, such as `llm.example.internal`. Only the cluster's network resolves it. */
  readonly dnsZone: string
  readonly platform: Platform
}

/** What `requireTags` asks for on every resource. */
export interface Tags {
  readonly project: string
  readonly environment: string
  /** Team that is called when something is wrong. */
  readonly owner: string
  readonly 'cost-center': string
}

export interface Network {
  /** IPv4 range of nodes, a /16. Pods have their own ranges on Google Cloud and Azure, and share this one on AWS. */
  readonly cidr: `${string}/16`
}

export interface Kubernetes {
  /** Minor version. charts/postern needs 1.30. */
  readonly version: `1.${number}`
}

export interface NodePool {
  /** Lower case and digits, at most 12 characters (a limit of AKS). */
  readonly name: string
  /** The cloud's name of the machine. */
  readonly machine: string
  readonly min: number
  readonly max: number
  readonly diskGb: number
  /**
   * Nodes that the cloud sells for less and takes back within two minutes or less. They bear the taint and label `postern.dev/spot=present`,
   * so nothing runs there that does not say so. Default: false.
   */
  readonly spot?: boolean
  /** Nodes with GPUs bear the taint `nvidia.com/gpu=present:NoSchedule` and the label `postern.dev/gpu`. None when absent. */
  readonly gpu?: Gpu
}

export interface Gpu {
  /** Product as the cloud names it; on Google Cloud this is what is attached, such as `nvidia-l4`. */
  readonly product: string
  /** GPUs of one node. */
  readonly count: number
}

export interface Audit {
  /** Days for which nobody can delete or change a record. `destroy` cannot end this early: see README.md, Destroying. */
  readonly retentionDays: number
  /**
   * `compliance`: the lock cannot be lifted, by nobody. `governance`: privileged people may lift it (AWS), or the policy is not locked yet
   * (Google Cloud, Azure); right for a trial.
   */
  readonly lock: 'compliance' | 'governance'
}

export interface Platform {
  /** Where the images of charts/ come from: registry and path, without a tag. */
  readonly images: string
  /** Digest of the guard's image, `sha256:...`; the chart's tag when absent. */
  readonly guardDigest?: `sha256:${string}`
  /** Days that metrics and logs are kept in the cluster. Audit records have their own bucket. */
  readonly retentionDays: number
  /** Values of charts/postern beyond ours, such as `guard.profiles` and `gateway`; they are merged over ours. */
  readonly guard?: Values
  /** A model of charts/llm-api with the demo model, to see that all works. */
  readonly demoModel: boolean
}

/** Values of a chart. */
export interface Values {
  readonly [key: string]: Value
}
export type Value = string | number | boolean | null | readonly Value[] | Values

export interface AwsEnvironment extends Common {
  readonly cloud: 'aws'
  /** Applying to another account is refused by the provider. */
  readonly accountId: string
  /** Three availability zones of the region. */
  readonly zones: readonly [string, string, string]
  /** Ranges from which the API server may be asked, such as that of the runner that applies. */
  readonly operators: readonly string[]
  /** A second region that gets a copy of every audit record, locked as the first. None when absent. */
  readonly auditReplicaRegion?: string
  /** ARNs of the IAM roles that administer the cluster. */
  readonly administrators: readonly string[]
  readonly state: { readonly bucket: string; readonly kmsKeyArn: string }
}

export interface GoogleEnvironment extends Common {
  readonly cloud: 'google'
  readonly project: string
  /** Service agents are named by it. `gcloud projects describe PROJECT --format='value(projectNumber)'`. */
  readonly projectNumber: string
  readonly zones: readonly [string, string, string]
  /** Ranges from which the API server may be asked, such as that of the runner that applies. */
  readonly operators: readonly string[]
  /** Range of the control plane, a /28 that nothing else uses. */
  readonly controlPlaneCidr: `${string}/28`
  readonly state: { readonly bucket: string; readonly kmsKey: string }
}

export interface AzureEnvironment extends Common {
  readonly cloud: 'azure'
  readonly subscriptionId: string
  readonly tenantId: string
  /** Object ids of the Entra groups that administer the cluster. */
  readonly administrators: readonly string[]
  /** Whether the region's pair gets a copy of every audit record. Default: false, three zones of the region. */
  readonly auditInPairedRegion?: boolean
  /** Virtual network of the runner that applies: keys and cluster answer in private networks only. */
  readonly runnerNetwork: { readonly resourceGroup: string; readonly name: string }
  readonly state: { readonly resourceGroup: string; readonly account: string; readonly container: string }
}
