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
}

export interface ShipperIdentity {
  /** Annotations of the ServiceAccount and labels of the pods that the cloud's workload identity asks for. */
  readonly annotations: Readonly<Record<string, string>>
  readonly podLabels: Readonly<Record<string, string>>
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
