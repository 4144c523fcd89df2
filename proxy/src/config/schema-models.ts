import { z } from 'zod'
import { name, path, secret, url } from './fields.ts'
import { bytes, milliseconds, section } from './quantities.ts'

const upTo = (max: number) => z.int().min(1).max(max)

export const upstreamSchema = section({
  name: name().describe('Short and unique: a metric label, and in the audit record.'),
  url: url('https', 'http').describe(
    'Base URL of the model server, such as http://127.0.0.1:8000; its path is put before the API path.',
  ),
  credential: section({
    header: z
      .enum(['authorization', 'x-api-key', 'api-key'])
      .default('authorization')
      .describe('Header for the credential.'),
    scheme: z
      .string()
      .regex(/^[A-Za-z0-9-]{0,32}$/)
      .optional()
      .describe('Word before the value; Bearer for authorization, none otherwise.'),
    value: secret().describe('The credential of the guard at this model server. Callers never see it.'),
  })
    .optional()
    .describe('Credential for this upstream. Those of callers are never passed on.'),
  tls: section({
    caFile: path()
      .optional()
      .describe('PEM certificates that vouch for the server, instead of the public ones.'),
    certFile: path().optional().describe('PEM client certificate.'),
    keyFile: path().optional().describe('PEM key of the client certificate.'),
    serverName: z
      .string()
      .min(1)
      .max(253)
      .optional()
      .describe('Name expected in the certificate; the host of the URL when absent.'),
    spiffeIds: z
      .array(z.string().startsWith('spiffe://').max(2048))
      .min(1)
      .optional()
      .describe('SPIFFE IDs expected instead of a name. Needs caFile.'),
  })
    .optional()
    .describe('TLS to the model server.'),
  timeouts: section({
    connect: milliseconds('10ms', '1m').prefault('2s').describe('To connect. Lower fails over sooner.'),
    headers: milliseconds('100ms', '1h')
      .prefault('5m')
      .describe(
        'From the call to the response headers: the whole generation when the answer is not streamed.',
      ),
    idle: milliseconds('100ms', '1h')
      .prefault('30s')
      .describe(
        'Between two pieces of the answer. Lower cuts slow models, higher lets stuck ones hold memory.',
      ),
    total: milliseconds('1s', '24h').prefault('10m').describe('From the call to the last byte.'),
  }).prefault({}),
  pool: section({
    connections: upTo(10_000)
      .default(1024)
      .describe(
        'Connections to this upstream, each for one call at a time: as many streams as may run at once. Calls beyond it wait.',
      ),
    maxWaiting: z
      .int()
      .min(0)
      .max(100_000)
      .optional()
      .describe('Calls that may wait for a connection; as many as connections when absent.'),
    keepAlive: milliseconds('0s', '1h')
      .prefault('4s')
      .describe(
        'How long an unused connection is kept. Below the idle timeout of the server (5 s for many), or calls meet closed ones.',
      ),
  }).prefault({}),
  maxHeader: bytes('1KiB', '1MiB').prefault('16KiB').describe('All response headers.'),
  maxBody: bytes('1KiB', '1GiB').prefault('16MiB').describe('One whole answer.'),
  maxStream: bytes('1KiB', '1GiB').prefault('64MiB').describe('One streamed answer.'),
})

const target = section({
  upstream: name().describe('Name of an upstream.'),
  model: name().optional().describe('What this upstream calls the model; the name asked for when absent.'),
  follow: section({
    model: name().describe('Name of the model in the registry.'),
    alias: name().describe('Alias whose version is served here, such as champion or canary.'),
  })
    .optional()
    .describe(
      'Serves the version that an alias of modelRegistry names, under the name the registry has for it; a target whose alias names none gets no calls.',
    ),
  weight: z
    .number()
    .min(0)
    .max(1000)
    .optional()
    .describe('Share of the calls, relative to the other targets; 1 when absent, 0 for none.'),
})

export const modelSchema = section({
  name: z
    .string()
    .regex(/^[A-Za-z0-9._:/-]*(?:\*[A-Za-z0-9._:/-]*)?$/, {
      error: 'must be letters, digits or . _ : / - and at most one *',
    })
    .min(1)
    .max(128)
    .describe('Name that clients ask for. May hold one *; exact names count first, then the order here.'),
  targets: z.array(target).min(1).max(32).describe('Where calls go, by weight.'),
  fallback: z.array(target).max(32).optional().describe('Tried in order when no target can be reached.'),
})

export const modelRegistrySchema = section({
  file: path().describe(
    'The registry as JSON, written by `postern-sec model`. The guard follows the file: a promotion or rollback counts at once for new requests.',
  ),
  requireSignature: z
    .boolean()
    .default(true)
    .describe('Refuses a version whose signature was not verified when it was registered.'),
})

export const retrySchema = section({
  attempts: upTo(10).default(3).describe('Upstreams tried for one call at most, the first included.'),
  budget: z
    .number()
    .min(0)
    .max(1)
    .default(0.2)
    .describe(
      'Second attempts per call in the long run, so that retries never double the load of a failing model.',
    ),
})
