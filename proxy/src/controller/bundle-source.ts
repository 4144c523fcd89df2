export interface Bundle {
  /** The gzip tar archive. */
  readonly bytes: Buffer
  /** With its quotes, as in the header. */
  readonly etag: string
  readonly revision: string
}

/** The policy bundle that is served at present. */
export interface BundleSource {
  /** Undefined until there is a first one. */
  current(): Bundle | undefined
  /** Settles with the next change, never rejects. */
  changed(): Promise<void>
}
