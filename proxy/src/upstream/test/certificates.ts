import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** False where there is no openssl. A CI that lacks it must fail, not skip: then this throws. */
export const hasOpenssl = (): boolean => {
  const found = spawnSync('openssl', ['version']).status === 0
  if (!found && process.env['CI'] === 'true') throw new Error('CI needs openssl: apt-get install openssl')
  return found
}

export interface Issued {
  readonly cert: string
  readonly key: string
}

export interface Authority {
  readonly ca: string
  /** `names` as in openssl's subjectAltName, such as `DNS:localhost,URI:spiffe://td/a`. */
  issue(names: string): Issued
  remove(): void
}

export const authority = (): Authority => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-upstream-'))
  const file = (name: string): string => join(folder, name)
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
  run(
    'req',
    '-x509',
    ...newKey,
    '-keyout',
    file('ca.key'),
    '-out',
    file('ca.crt'),
    '-days',
    '2',
    '-subj',
    '/CN=ca',
  )
  let issued = 0
  return {
    ca: readFileSync(file('ca.crt'), 'utf8'),
    issue: (names) => {
      issued += 1
      const name = file(String(issued))
      run('req', ...newKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', '/CN=leaf')
      writeFileSync(`${name}.ext`, `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`)
      const signer = ['-CA', file('ca.crt'), '-CAkey', file('ca.key'), '-CAcreateserial', '-days', '2']
      run('x509', '-req', '-in', `${name}.csr`, ...signer, '-extfile', `${name}.ext`, '-out', `${name}.crt`)
      return { cert: readFileSync(`${name}.crt`, 'utf8'), key: readFileSync(`${name}.key`, 'utf8') }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const run = (...args: readonly string[]): void => {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl ${args[0] ?? ''}: ${stderr}`)
}
