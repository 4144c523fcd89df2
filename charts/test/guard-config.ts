import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Manifest } from './helm.ts'
import { root } from './llm-api-cases.ts'
import { pick } from './manifests.ts'
import { configOf } from './wiring.ts'

export const postern = join(root, 'proxy/bin/postern.mjs')

/** `postern check` of the rendered file, with the files it names in a folder of this machine. */
export const checkConfig = async (manifests: readonly Manifest[]): Promise<readonly [number, string]> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-chart-'))
  try {
    const file = writeConfig(folder, manifests)
    return await new Promise((resolve) => {
      execFile(process.execPath, [postern, 'check', file], (error, _, stderr) =>
        resolve([typeof error?.code === 'number' ? error.code : 0, stderr.replace(/^.*warning.*\n/gm, '')]),
      )
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** As `postern-sec model register` and `promote` write it. */
const REGISTRY = {
  v: 1,
  models: {
    support: {
      versions: {
        '1': {
          source: '/models/support',
          serves_as: 'support-1',
          digest: 'd'.repeat(64),
          signer: 'e'.repeat(64),
        },
      },
      aliases: { champion: '1' },
    },
  },
}

/** Returns the path of the configuration; files that it names lie beside it. */
export const writeConfig = (folder: string, manifests: readonly Manifest[]): string => {
  const file = join(folder, 'postern.yaml')
  const text = configOf(manifests, 'chat-llm-api-guard', 'postern.yaml')
  writeFileSync(file, text.replaceAll(/\/etc\/postern\/(?:keys|secrets|tls)/g, folder))
  const texts = (pick(
    manifests.find(({ kind }) => kind === 'Secret'),
    'stringData',
  ) ?? {}) as Readonly<Record<string, string>>
  writeFileSync(join(folder, 'api-keys.yaml'), texts['api-keys.yaml'] ?? '[]')
  writeFileSync(join(folder, 'password'), 'unused')
  writeFileSync(join(folder, 'models.json'), JSON.stringify(REGISTRY))
  if (text.includes('tls.crt')) selfSigned(join(folder, 'tls.crt'), join(folder, 'tls.key'))
  return file
}

const selfSigned = (certificate: string, key: string): void => {
  const request = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
  ]
  const names = ['-subj', '/CN=guard', '-addext', 'subjectAltName=DNS:guard']
  execFileSync('openssl', [...request, ...names, '-out', certificate, '-keyout', key], { stdio: 'ignore' })
}
