import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createSecureContext } from 'node:tls'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { watchFiles } from '../core/watch-files.ts'
import { secureContext, type ClientAuth, type TlsMaterial } from './tls.ts'

export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
  readonly clientCaFile?: string | undefined
  readonly crlFile?: string | undefined
  readonly clientAuth: ClientAuth
}

export interface TlsWatch {
  readonly files: TlsFiles
  /** Swaps the material in; what it throws keeps the old. */
  readonly apply: (material: TlsMaterial) => void
  readonly meter: Meter
  readonly log: Log
  readonly pollMs?: number
}

/** Time for a half-written pair of certificate and key to become whole. */
const RETRY_MS = 200
const ATTEMPTS = 3

/**
 * Reads certificate, key, client CA and CRL as one set, from one version of a mounted volume, and checks that they fit.
 * Throws an Error that names the file and says what to do.
 */
export const readTls = async (files: TlsFiles): Promise<TlsMaterial> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readOnce(files)
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    }
  }
}

/** Follows the files. Bad material is reported and the old stays in use. */
export const watchTls = (
  watch: TlsWatch,
): { readonly reload: () => Promise<void>; readonly close: () => void } => {
  const { files, apply, meter, log, pollMs = 10_000 } = watch
  let current = ''
  const paths = [files.certFile, files.keyFile, files.clientCaFile, files.crlFile].filter(
    (path) => path !== undefined,
  )
  const onChange = async (): Promise<void> => {
    try {
      const material = await readTls(files)
      const next = JSON.stringify(material)
      if (next === current) return
      apply(material)
      current = next
      meter.add('postern_reloads_total', 1, 'certificate', 'ok')
      log.info('certificate_reloaded', { valid_to: new X509Certificate(material.cert).validTo })
    } catch (cause) {
      meter.add('postern_reloads_total', 1, 'certificate', 'failed')
      log.error('certificate_reload_failed', { cause: asError(cause), kept: true })
    }
  }
  const watching = watchFiles({ paths, onChange, pollMs })
  return { reload: () => watching.now(), close: () => watching.close() }
}

const readOnce = async (files: TlsFiles): Promise<TlsMaterial> => {
  const volumes = new Map<string, string>()
  const read = async (path: string): Promise<string> => {
    const directory = dirname(path)
    const volume = volumes.get(directory) ?? (await currentVolume(directory))
    volumes.set(directory, volume)
    return readFile(join(volume, basename(path)), 'utf8').catch((cause: unknown) => {
      throw new Error(`cannot read ${path}: ${reason(cause)}; is the secret mounted and readable?`, { cause })
    })
  }
  const material: TlsMaterial = {
    cert: await read(files.certFile),
    key: await read(files.keyFile),
    ...(files.clientCaFile !== undefined && { clientCa: await read(files.clientCaFile) }),
    ...(files.crlFile !== undefined && { crl: await read(files.crlFile) }),
  }
  check(material, files)
  return material
}

/** Kubernetes swaps the link `..data`; reading below its target gives files of one version. */
const currentVolume = async (directory: string): Promise<string> =>
  realpath(join(directory, '..data')).catch(() => directory)

const check = (material: TlsMaterial, files: TlsFiles): void => {
  if (files.clientAuth !== 'off' && material.clientCa === undefined)
    throw new Error(
      `client certificates are ${files.clientAuth}: name the CA that signs them in clientCaFile`,
    )
  const cert = named(files.certFile, 'a PEM certificate', () => new X509Certificate(material.cert))
  const key = named(files.keyFile, 'a PEM private key without a passphrase', () =>
    createPrivateKey(material.key),
  )
  if (!cert.checkPrivateKey(key))
    throw new Error(`${files.keyFile} is not the key of ${files.certFile}: replace both together`)
  if (Date.parse(cert.validTo) <= Date.now())
    throw new Error(`${files.certFile} expired at ${cert.validTo}: renew it`)
  if (material.clientCa !== undefined) {
    const clientCa = material.clientCa
    named(files.clientCaFile ?? '', 'a PEM bundle of CA certificates', () => new X509Certificate(clientCa))
  }
  named(files.crlFile ?? files.certFile, 'usable as TLS material', () =>
    createSecureContext(secureContext(material)),
  )
}

const named = <T>(path: string, what: string, make: () => T): T => {
  try {
    return make()
  } catch (cause) {
    throw new Error(`${path} is not ${what}: ${reason(cause)}`, { cause })
  }
}

const reason = (cause: unknown): string => {
  const { code, message } = cause as { readonly code?: string; readonly message?: string }
  return code ?? message ?? 'unknown error'
}

const asError = (cause: unknown): Error => (cause instanceof Error ? cause : new Error(reason(cause)))
