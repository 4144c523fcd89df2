import { existsSync, readFileSync } from 'node:fs'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'

const FILE = '/var/run/trust/ca.crt'
let known = ''

/** What the controller tells this namespace to trust, one PEM text each. */
export const authorities = (): string[] => {
  const text = existsSync(FILE) ? readFileSync(FILE, 'utf8') : ''
  return text.match(/-----BEGIN[^]*?-----END CERTIFICATE-----/g) ?? []
}

/** Trusts them in the whole process, now. */
export const trustAuthorities = (): void => {
  const own = authorities()
  const text = own.join()
  if (text === known) return
  known = text
  setDefaultCACertificates([...getCACertificates('bundled'), ...own])
}
