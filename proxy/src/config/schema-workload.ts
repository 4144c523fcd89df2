import { z } from 'zod'
import { path, url } from './fields.ts'
import { milliseconds, section } from './quantities.ts'

export const workloadSchema = section({
  source: z
    .enum(['controller', 'spire'])
    .describe('controller: that of charts/postern. spire: the SPIFFE Workload API of a SPIRE agent.'),
  url: url('https')
    .optional()
    .describe('Address of the controller, such as https://postern-controller.postern.svc.'),
  caFile: path().optional().describe('PEM certificates that vouch for the controller.'),
  tokenFile: path()
    .optional()
    .describe('ServiceAccount token for the controller, read again for every call: kubelets rotate it.'),
  socket: path()
    .optional()
    .describe('Unix socket of the SPIFFE Workload API, such as /run/spire/agent.sock.'),
  spiffeId: z
    .string()
    .startsWith('spiffe://')
    .max(2048)
    .optional()
    .describe('Which identity of several; the first when absent.'),
  directory: path().describe(
    'Folder where tls.crt, tls.key and ca.crt are kept up to date, in memory best: /run/postern/identity.',
  ),
})

export const remoteBundleSchema = section({
  url: url('https', 'http').describe(
    'OPA bundle (tar.gz) with a policy.wasm, as an OPA bundle server serves it.',
  ),
  caFile: path()
    .optional()
    .describe('PEM certificates that vouch for the server; the public ones when absent.'),
  tokenFile: path().optional().describe('Bearer token for the server, read again when it is rotated.'),
  certFile: path().optional().describe('PEM client certificate for the server.'),
  keyFile: path().optional().describe('PEM key of the client certificate.'),
  publicKeyFile: path()
    .optional()
    .describe(
      'PEM public key that signs bundles. Without it whoever can answer for the server decides what is allowed.',
    ),
  file: path().describe('Where the last good bundle is kept, so that a restart does not need the server.'),
  minDelay: milliseconds('1s', '1h').prefault('10s').describe('Shortest time between two questions.'),
  maxDelay: milliseconds('1s', '24h')
    .prefault('1m')
    .describe('Longest time between two questions. A new policy may come this much late.'),
})
