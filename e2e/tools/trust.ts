import { existsSync, readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'

const FILE = '/var/run/trust/ca.crt'
let known = ''

/** Trusts what the controller tells this namespace to trust, now. */
export const trustAuthorities = (): void => {
  const text = existsSync(FILE) ? readFileSync(FILE, 'utf8') : ''
  if (text === known) return
  known = text
  setDefaultCACertificates([
    ...getCACertificates('bundled'),
    ...(text.match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g) ?? []),
  ])
}
