import { request as httpRequest } from 'node:http'
import { connect as http2Connect, constants, type ClientHttp2Session } from 'node:http2'
import { Agent, request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { Probe, ProbeAction } from '../core/pod.ts'

/** What a container answered: `ok`, or why not in a word for the kubelet's event. */
export type Health = { readonly ok: true } | { readonly ok: false; readonly why: string }

/** Where the containers of the pod can be reached; another one only in tests. */
const LOOPBACK = '127.0.0.1'

/**
 * Makes the probe that the kubelet cannot make itself, because the container listens on loopback only. Same meaning as the kubelet's:
 * HTTP 200 to 399, TCP connected, gRPC `SERVING`. Certificates are not verified, as the kubelet does not. Never throws.
 */
export const askHealth = async ({ action, timeoutSeconds }: Probe): Promise<Health> => {
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000)
  try {
    return await ask(action, timeout)
  } catch (error) {
    if (timeout.aborted) return { ok: false, why: `no answer within ${timeoutSeconds} s` }
    return { ok: false, why: (error as NodeJS.ErrnoException).code ?? 'failed' }
  }
}

const ask = (action: ProbeAction, signal: AbortSignal): Promise<Health> => {
  switch (action.kind) {
    case 'http':
      return askHttp(action, signal)
    case 'tcp':
      return askTcp(action.port, signal)
    case 'grpc':
      return askGrpc(action, signal)
  }
}

/** Probes are seconds apart: a connection kept in between would only meet its end. */
const unverified = new Agent({ rejectUnauthorized: false, keepAlive: false })

const askHttp = (
  { scheme, port, path, headers }: Extract<ProbeAction, { kind: 'http' }>,
  signal: AbortSignal,
): Promise<Health> =>
  new Promise((resolve, reject) => {
    const options = {
      host: LOOPBACK,
      port,
      path,
      signal,
      headers: {
        'user-agent': 'postern-probe',
        ...Object.fromEntries(headers.map((one) => [one.name, one.value])),
      },
    }
    const call =
      scheme === 'HTTPS'
        ? httpsRequest({ ...options, agent: unverified })
        : httpRequest({ ...options, agent: false })
    call.on('error', reject)
    call.on('response', (answer) => {
      const status = answer.statusCode ?? 0
      // What the body says is nobody's business here, and it may never end.
      answer.destroy()
      resolve(status >= 200 && status < 400 ? { ok: true } : { ok: false, why: `status ${status}` })
    })
    call.end()
  })

const askTcp = (port: number, signal: AbortSignal): Promise<Health> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: LOOPBACK, port })
    const stop = (): void => void socket.destroy(new Error('late'))
    signal.addEventListener('abort', stop, { once: true })
    socket.on('error', reject)
    socket.on('close', () => {
      signal.removeEventListener('abort', stop)
    })
    socket.on('connect', () => {
      socket.destroy()
      resolve({ ok: true })
    })
  })

/** grpc.health.v1.HealthCheckResponse with status (field 1) SERVING (1), in a frame that is not compressed. */
const SERVING = Buffer.from([0, 0, 0, 0, 2, 0x08, 0x01])
const MAX_GRPC_ANSWER = 1024

const askGrpc = async (
  { port, service }: Extract<ProbeAction, { kind: 'grpc' }>,
  signal: AbortSignal,
): Promise<Health> => {
  const session = http2Connect(`http://${LOOPBACK}:${port}`)
  const stop = (): void => session.destroy(new Error('late'))
  signal.addEventListener('abort', stop, { once: true })
  try {
    const { body, status } = await grpcCheck(session, service)
    if (status !== '0') return { ok: false, why: `gRPC status ${status}` }
    return SERVING.equals(body) ? { ok: true } : { ok: false, why: 'not SERVING' }
  } finally {
    signal.removeEventListener('abort', stop)
    session.destroy()
  }
}

const grpcCheck = (
  session: ClientHttp2Session,
  service: string,
): Promise<{ readonly body: Buffer; readonly status: string }> =>
  new Promise((resolve, reject) => {
    const call = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    })
    const chunks: Buffer[] = []
    let size = 0
    let status = ''
    const take = (headers: NodeJS.Dict<string | string[]>): void => {
      const given = headers['grpc-status']
      if (typeof given === 'string') status = given
    }
    session.on('error', reject)
    call.on('error', reject)
    call.on('response', take)
    call.on('trailers', take)
    call.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_GRPC_ANSWER) call.destroy(new Error('too long an answer'))
      else chunks.push(chunk)
    })
    call.on('end', () => resolve({ body: Buffer.concat(chunks), status: status === '' ? 'missing' : status }))
    call.end(healthQuestion(service))
  })

/** grpc.health.v1.HealthCheckRequest: field 1, the service's name, at most 127 bytes so that its length is one byte. */
const healthQuestion = (service: string): Buffer => {
  const name = Buffer.from(service)
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a, name.length]), name])
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}
