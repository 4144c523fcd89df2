export interface SingleConnection {
  /** Milliseconds until connected, TLS included. */
  readonly connectMs: number
  /** Milliseconds until the headers are there, and between two pieces of the body. */
  readonly answerMs: number
  /** PEM certificates that vouch for the server, instead of those of the system. */
  readonly ca?: string | undefined
  /** Name in the server's certificate, when it is not that of the URL. */
  readonly serverName?: string | undefined
  /** PEM of the certificate to show, and of its key. */
  readonly client?: { readonly cert: string; readonly key: string } | undefined
}

/**
 * Options of an undici Agent for one call, to be destroyed after it: a kept connection would outlive the certificates it was made with.
 * TLS 1.2 or later, only to a server that proves its name, whatever the environment says; 16 KiB of headers.
 */
export const singleConnection = ({ connectMs, answerMs, ca, serverName, client }: SingleConnection) => ({
  connections: 1,
  pipelining: 1,
  maxHeaderSize: 16_384,
  headersTimeout: answerMs,
  bodyTimeout: answerMs,
  connect: {
    timeout: connectMs,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2' as const,
    ...(ca !== undefined && { ca }),
    ...(serverName !== undefined && { servername: serverName }),
    ...client,
  },
})
