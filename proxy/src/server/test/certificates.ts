import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const hasOpenssl = spawnSync('openssl', ['version']).status === 0

const openssl = (folder: string, ...args: readonly string[]): void => {
  execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
}

const NEW_KEY = ['-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] as const

/** A CA `name.pem` with `name.key`. */
export const makeCa = (folder: string, name: string): void => {
  const use = [
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
  ]
  const out = ['-keyout', `${name}.key`, '-out', `${name}.pem`]
  openssl(folder, 'req', '-x509', ...NEW_KEY, ...out, '-days', '30', '-subj', `/CN=${name}`, ...use)
}

/** A certificate `name.crt` with `name.key`, signed by the CA. */
export const makeLeaf = (
  folder: string,
  name: string,
  options: {
    readonly ca: string
    readonly san: string
    readonly usage?: 'clientAuth' | 'serverAuth'
    readonly rsa?: number
  },
): void => {
  const { ca, san, usage = 'clientAuth', rsa } = options
  const key = rsa === undefined ? NEW_KEY : ['-nodes', '-newkey', `rsa:${rsa}`]
  openssl(folder, 'req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`)
  writeFileSync(
    join(folder, `${name}.ext`),
    `basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=${usage}\nsubjectAltName=${san}\n`,
  )
  const sign = ['-CA', `${ca}.pem`, '-CAkey', `${ca}.key`, '-CAcreateserial', '-extfile', `${name}.ext`]
  openssl(folder, 'x509', '-req', '-in', `${name}.csr`, ...sign, '-out', `${name}.crt`, '-days', '20')
}

/** A revocation list `crl.pem` of the CA that names these certificates. */
export const makeCrl = (folder: string, ca: string, revoked: readonly string[]): void => {
  writeFileSync(join(folder, 'index'), '')
  writeFileSync(join(folder, 'crlnumber'), '1000\n')
  writeFileSync(
    join(folder, 'ca.cnf'),
    `[ca]\ndefault_ca=d\n[d]\ndatabase=index\ncrlnumber=crlnumber\ncertificate=${ca}.pem\nprivate_key=${ca}.key\ndefault_md=sha256\ndefault_crl_days=20\n`,
  )
  for (const name of revoked) openssl(folder, 'ca', '-config', 'ca.cnf', '-revoke', `${name}.crt`)
  openssl(folder, 'ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl.pem')
}

export const pem = (folder: string, name: string): string => readFileSync(join(folder, name), 'utf8')
