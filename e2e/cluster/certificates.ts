import { execFile } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface ClusterAddress {
  /** Where clients find the API server. */
  readonly host: string
  readonly port: number
}

/** Who may talk to the API server, as certificate subjects. */
const USERS = {
  admin: '/O=system:masters/CN=admin',
  'controller-manager': '/CN=system:kube-controller-manager',
  scheduler: '/CN=system:kube-scheduler',
  kubelet: '/O=system:nodes/CN=system:node:node',
  proxy: '/CN=system:kube-proxy',
} as const

export type User = keyof typeof USERS

interface Certificate {
  readonly name: string
  readonly subject: string
  readonly extensions: readonly string[]
  /** Signs it; without one it signs itself. */
  readonly ca?: string
}

const API_SERVER_NAMES = [
  'DNS:kubernetes',
  'DNS:kubernetes.default',
  'DNS:kubernetes.default.svc',
  'DNS:kubernetes.default.svc.cluster.local',
  'DNS:localhost',
  'IP:127.0.0.1',
  'IP:10.96.0.1',
]

/** Every key and certificate of one cluster, good for 30 days, and a kubeconfig (`<user>.kubeconfig`) for each user. */
export const makeCertificates = async (folder: string, address: ClusterAddress): Promise<void> => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const at = (name: string): string => join(folder, name)
  const tokens = generateKeyPairSync('rsa', { modulusLength: 2048 })
  writeFileSync(at('sa.key'), tokens.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  writeFileSync(at('sa.pub'), tokens.publicKey.export({ type: 'spki', format: 'pem' }))

  const certificate = ({ name, subject, extensions, ca }: Certificate) =>
    run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '30'],
      ...['-subj', subject, '-keyout', at(`${name}.key`), '-out', at(`${name}.crt`)],
      ...extensions.flatMap((extension) => ['-addext', extension]),
      ...(ca ? ['-CA', at(`${ca}.crt`), '-CAkey', at(`${ca}.key`)] : []),
    ])
  const leaf = (usage: string, names: readonly string[] = []): readonly string[] => [
    'basicConstraints=critical,CA:FALSE',
    `extendedKeyUsage=${usage}`,
    ...(names.length ? [`subjectAltName=${names.join(',')}`] : []),
  ]
  const authority = ['keyUsage=critical,keyCertSign,cRLSign']
  await Promise.all([
    certificate({ name: 'ca', subject: '/CN=e2e-ca', extensions: authority }),
    certificate({ name: 'front-proxy-ca', subject: '/CN=e2e-front-proxy-ca', extensions: authority }),
  ])
  const server = leaf('serverAuth', [...new Set([...API_SERVER_NAMES, `IP:${address.host}`])])
  const kubelet = leaf('serverAuth', [...new Set(['DNS:node', 'IP:127.0.0.1', `IP:${address.host}`])])
  const client = leaf('clientAuth')
  const leaves: Record<string, Omit<Certificate, 'name'>> = {
    apiserver: { subject: '/CN=kube-apiserver', extensions: server, ca: 'ca' },
    'kubelet-server': { subject: '/CN=node', extensions: kubelet, ca: 'ca' },
    'kubelet-client': { subject: '/O=system:masters/CN=kubelet-client', extensions: client, ca: 'ca' },
    'front-proxy-client': { subject: '/CN=front-proxy-client', extensions: client, ca: 'front-proxy-ca' },
  }
  for (const [name, subject] of Object.entries(USERS))
    leaves[name] = { subject, extensions: client, ca: 'ca' }
  await Promise.all(Object.entries(leaves).map(([name, what]) => certificate({ name, ...what })))
  for (const user of Object.keys(USERS))
    writeFileSync(at(`${user}.kubeconfig`), kubeconfig(folder, user, address), { mode: 0o600 })
}

const kubeconfig = (folder: string, user: string, address: ClusterAddress): string => {
  const data = (name: string): string => readFileSync(join(folder, name)).toString('base64')
  const cluster = {
    server: `https://${address.host}:${address.port}`,
    'certificate-authority-data': data('ca.crt'),
  }
  const who = { 'client-certificate-data': data(`${user}.crt`), 'client-key-data': data(`${user}.key`) }
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'e2e',
    clusters: [{ name: 'e2e', cluster }],
    contexts: [{ name: 'e2e', context: { cluster: 'e2e', user } }],
    users: [{ name: user, user: who }],
  })
}
