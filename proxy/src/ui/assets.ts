import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Asset {
  /** With the hash of the content in it, so that browsers may keep it. */
  readonly url: string
  readonly contentType: string
  readonly body: Buffer
}

export interface Assets {
  readonly style: Asset
  readonly script: Asset
  readonly icon: Asset
}

/** Read once at the start; throws when the installation lacks one. */
export const readAssets = (): Assets => ({
  style: asset('style.css', 'text/css; charset=utf-8'),
  script: asset('script.mjs', 'text/javascript; charset=utf-8'),
  icon: asset('icon.svg', 'image/svg+xml'),
})

const asset = (name: string, contentType: string): Asset => {
  const body = readFileSync(join(import.meta.dirname, 'assets', name))
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16)
  return { url: `/ui/assets/${hash}-${name}`, contentType, body }
}
