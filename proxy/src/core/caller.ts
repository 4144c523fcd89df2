/** Who calls, as verified. Every field is bounded: strings to 256 characters, lists to 64 entries. */
export interface Caller {
  readonly subject: string
  readonly tenant: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  /** The name of the configured identifier that vouched for the caller, such as `jwt:corp` or `api-key`. */
  readonly via: string
}

/** What a client presented. Header names are lower case; a header that came twice is not here. */
export interface Presented {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly certificate: PeerCertificate | undefined
}

/** A client certificate that the TLS layer has already verified against the client CA. */
export interface PeerCertificate {
  /** Node's `subjectaltname` string, quoted form included. */
  readonly subjectAltName: string
  readonly subjectCommonName: string | undefined
  readonly fingerprint256: string
  /** Milliseconds since the epoch. */
  readonly validTo: number
}

/** One way to know a caller. */
export interface Identifier {
  readonly name: string
  /** The `WWW-Authenticate` challenge for this kind of credential; undefined when HTTP has none. */
  readonly challenge: string | undefined
  /**
   * Undefined when the client presented no credential of this kind.
   * Throws Refusal `unauthenticated` for a bad credential and `guard_unavailable` when it cannot be checked.
   */
  identify(presented: Presented): Promise<Caller | undefined>
  close(): Promise<void>
}
