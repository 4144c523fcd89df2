import type { Values } from '../environment.ts'

/** How the platform's stack reaches the cluster that the first stack made, and what in it depends on the cloud. */
export interface ClusterAccess {
  readonly host: string
  /** PEM. */
  readonly clusterCaCertificate: string
  /** The program that gets a token for the one who applies. Nothing secret is written to the state. */
  readonly exec: { readonly apiVersion: string; readonly command: string; readonly args: string[] }
  /** The class of encrypted disks: its driver and parameters. */
  readonly disks: { readonly provisioner: string; readonly parameters: Readonly<Record<string, string>> }
  readonly shipper: ShipperIdentity
  readonly loki: LokiStore
  readonly dns: DnsWriter
}

/** What the cloud's workload identity asks for. */
export interface PodIdentity {
  /** Of the ServiceAccount. */
  readonly annotations: Readonly<Record<string, string>>
  readonly podLabels: Readonly<Record<string, string>>
}

export interface LokiStore extends PodIdentity {
  readonly kind: 's3' | 'gcs' | 'azure'
  /** Settings of the chart's `loki.storage.<kind>`, without a credential. */
  readonly settings: Values
  /** Bucket, or container. */
  readonly bucket: string
}

export interface DnsWriter extends PodIdentity {
  /** As external-dns calls it. */
  readonly provider: 'aws' | 'google' | 'azure-private-dns'
  readonly arguments: readonly string[]
  /** /etc/kubernetes/azure.json, which says where zones are; without a credential. */
  readonly file?: Readonly<Record<string, string | boolean>>
}

export interface ShipperIdentity extends PodIdentity {
  /** Settings of rclone's remote `audit`, without a credential. */
  readonly remote: Readonly<Record<string, string>>
  /** Bucket and folder. */
  readonly target: string
}

export const EXEC_API = 'client.authentication.k8s.io/v1'

/** Values over values: maps are merged, everything else is replaced, as Helm does. */
export const merged = (under: Values, over: Values): Values => {
  const result: Record<string, Values[string]> = { ...under }
  for (const [key, value] of Object.entries(over)) {
    const before = result[key]
    result[key] = isMap(before) && isMap(value) ? merged(before, value) : value
  }
  return result
}

const isMap = (value: Values[string] | undefined): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
