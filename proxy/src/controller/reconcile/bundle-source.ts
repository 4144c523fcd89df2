/** The bundle that all replicas serve: what ConfigMap `postern-bundle` holds. */
export interface BundleSource {
  /** Undefined while there is none. */
  current(): ServedBundle | undefined
  /** Resolves at the next change of `current()`; rejects when aborted. */
  changed(signal: AbortSignal): Promise<void>
}

export interface ServedBundle {
  /** Gzipped tar, signed. */
  readonly bytes: Uint8Array
  /** A strong entity tag, quotes included. */
  readonly etag: string
  readonly revision: string
}
