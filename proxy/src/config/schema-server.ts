import { z } from 'zod'
import { builtInRoutes } from '../core/routes.ts'
import { name, path, secret } from './fields.ts'
import { bytes, milliseconds, section } from './quantities.ts'

const tcpPort = () => z.int().min(0).max(65_535)
const upTo = (max: number) => z.int().min(1).max(max)

const limits = section({
  headers: upTo(256)
    .default(64)
    .describe('Headers of one request. More are refused with 431: real clients send about twenty.'),
  header: bytes('1KiB', '256KiB')
    .prefault('16KiB')
    .describe(
      'All headers of one request together. More are refused with 431. Raise it for very long tokens; every open connection may hold this much.',
    ),
  headersTimeout: milliseconds('1s', '5m')
    .prefault('10s')
    .describe(
      'From the first byte of a request to the end of its headers. Cuts clients that send headers drop by drop.',
    ),
  requestTimeout: milliseconds('1s', '1h')
    .prefault('30s')
    .describe(
      'From the end of the headers to the last byte of the body. Raise it for slow clients with long prompts.',
    ),
  firstByteTimeout: milliseconds('1s', '5m')
    .prefault('10s')
    .describe('From a new connection to its first byte. Frees connections that were opened and never used.'),
  keepAlive: milliseconds('0s', '1h')
    .prefault('75s')
    .describe(
      'How long an idle connection is kept. Above the 60 s of common load balancers, which would otherwise send into a closing connection.',
    ),
  body: bytes('1KiB', '64MiB')
    .prefault('4MiB')
    .describe(
      'One request body. Larger ones are refused with 413, never cut. About a million tokens; each request may hold several times this much memory.',
    ),
  bodyChunks: upTo(65_536)
    .default(1024)
    .describe(
      'Pieces of a body that may come before each must carry 64 bytes on average. A body of one-byte pieces costs a thousand times its length.',
    ),
  connections: upTo(1_000_000)
    .default(16_384)
    .describe(
      'Open client connections. More are closed at once. About 10 KB of memory each when idle, and one file descriptor.',
    ),
  connectionsPerAddress: upTo(1_000_000)
    .default(10_240)
    .describe(
      'Open connections of one client address (one /64 network of IPv6). High, because a gateway in front is one address; lower it where clients connect themselves.',
    ),
  connectionAge: milliseconds('1s', '24h')
    .prefault('10m')
    .describe(
      'Age after which a connection ends with its next answer. Bounds how long an identity proven by a handshake is believed, and lets load move to new replicas.',
    ),
  requestsPerConnection: upTo(1_000_000)
    .default(10_000)
    .describe('Requests on one connection before it is closed. Lets load move to new replicas.'),
  pipelined: z
    .int()
    .min(0)
    .max(64)
    .default(8)
    .describe(
      'Requests that may wait on a connection for the answer to an earlier one. Beyond it the connection is cut.',
    ),
  handshakeTimeout: milliseconds('1s', '2m')
    .prefault('10s')
    .describe('For a TLS handshake. Cuts clients that stall in it.'),
  writeStall: milliseconds('1s', '10m')
    .prefault('30s')
    .describe(
      'How long a client may leave an answer unread before it is cut. Bounds the memory held for slow readers.',
    ),
  checkInterval: milliseconds('100ms', '1m')
    .prefault('1s')
    .describe('How often timeouts and ages are looked at: a timeout may come this much late.'),
})

const tls = section({
  certFile: path().describe('PEM certificate chain of the guard, leaf first. Followed when it changes.'),
  keyFile: path().describe('PEM private key without a passphrase. Followed when it changes.'),
  clientCaFile: path()
    .optional()
    .describe('PEM certificates that may sign client certificates. Needed unless clientAuth is off.'),
  clientAuth: z
    .enum(['required', 'optional', 'off'])
    .default('off')
    .describe('Client certificates: required, optional (a bad one is refused all the same), or off.'),
  crlFile: path()
    .optional()
    .describe('PEM revocation list of the client CA. An outdated list refuses every client certificate.'),
})

export const serverSchema = section({
  listen: section({
    host: z.string().min(1).max(255).default('0.0.0.0').describe('Address to listen on.'),
    port: tcpPort().default(8080).describe('Port to listen on; 0 for any free one.'),
  }).prefault({}),
  tls: tls
    .optional()
    .describe('Serves HTTPS. Without it everything, credentials included, is readable on the network.'),
  limits: limits.prefault({}).describe('Bounds of the listener.'),
  drain: section({
    grace: milliseconds('0s', '5m')
      .prefault('5s')
      .describe(
        'After SIGTERM or /drain, how long new requests are still taken while load balancers forget this guard.',
      ),
    deadline: milliseconds('0s', '1h')
      .prefault('25s')
      .describe(
        'From the start of the drain until running answers are cut. Keep terminationGracePeriodSeconds above it.',
      ),
  }).prefault({}),
})

export const adminSchema = section({
  host: z
    .string()
    .min(1)
    .max(255)
    .default('127.0.0.1')
    .describe(
      'Address of the admin port. It has no authentication: beyond the pod let a NetworkPolicy guard it.',
    ),
  port: tcpPort().default(8081).describe('Port for probes, metrics, coverage, configuration and drain.'),
  ui: section({
    passwordHash: secret().describe(
      'Scrypt hash of the password of the page, as `postern token password` prints it.',
    ),
    secureCookie: z
      .boolean()
      .default(false)
      .describe(
        'Browsers reach the page over TLS, by an ingress in front: the cookie travels over TLS only.',
      ),
    decisions: upTo(100_000)
      .default(1000)
      .describe('Decisions that the page remembers, 0.5 to 2 KB of memory each.'),
  })
    .optional()
    .describe('The page for people at /ui: live decisions and why, the last hour, coverage, health.'),
})

/** A built-in route by name, to switch it off; or a path that passes without inspection. */
export const routeSchema = section({
  name: name().describe(
    `A built-in route (${[...new Set(builtInRoutes.map((route) => route.name))].join(', ')}) or a new name.`,
  ),
  enabled: z.boolean().default(true).describe('False takes the route away: it is then unknown.'),
  inspect: z
    .boolean()
    .default(true)
    .describe('False passes content unread through this route. Counted and marked on the answer.'),
  path: z
    .string()
    .max(256)
    .regex(/^(?:\/[A-Za-z0-9._~-]*[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$/, {
      error: 'must be a plain path such as /v1/files, without a query, empty or dot segments',
    })
    .optional()
    .describe('Exact path of an uninspected route.'),
  method: z
    .enum(['GET', 'POST'])
    .default('GET')
    .describe('Method of an uninspected route. WebSockets are GET.'),
  upstream: name().optional().describe('Name of the upstream of an uninspected route.'),
  upstreamPath: path()
    .startsWith('/')
    .optional()
    .describe('Path at the upstream; the same path when absent.'),
})
