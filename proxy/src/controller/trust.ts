import type { KeyObject } from 'node:crypto'

/** Key that signs policy bundles. */
export interface BundleSigner {
  /** As in the header of the bundle's JWT. */
  readonly keyid: string
  readonly algorithm: 'ES256'
  readonly privateKey: KeyObject
}

/** What guards are to trust at present. The same in all replicas, as they all read one Secret. */
export interface Trust {
  /** Key `ca.crt` of ConfigMap `postern-trust`: every CA that is trusted, PEM. */
  authorities(): string
  /** Key `bundle.pub`: the PEM public keys that bundles may be signed with, the one in use first. */
  bundleKeys(): string
  bundleSigner(): BundleSigner
  /** Called after a change of any of them. Returns the way to stop. */
  onChange(listener: () => void): () => void
}
