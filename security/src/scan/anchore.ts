import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fromGrype } from './grype.ts'
import { report } from './read.ts'
import { ask, errorIn } from './tool.ts'
import type { Vulnerability } from './vulnerability.ts'

export interface GrypeOptions {
  /** Takes the database that is on this machine, however old. */
  readonly offline: boolean
}

/** The folder that `image` means when it is no image: `dir:FOLDER`, or a folder without an OCI layout. */
export const treeIn = (image: string): string | undefined => {
  if (image.startsWith('dir:')) return image.slice('dir:'.length)
  const isFolder = statSync(image, { throwIfNoEntry: false })?.isDirectory() ?? false
  return isFolder && !existsSync(join(image, 'oci-layout')) ? image : undefined
}

/** What Grype knows against `source`, in its own words for one. Throws an Error with its reason when it fails. */
export const grypeScan = async (
  grype: string,
  source: string,
  { offline }: GrypeOptions,
): Promise<readonly Vulnerability[]> => {
  const configs = ['anchore.yaml', ...(offline ? ['grype-offline.yaml'] : [])]
  const settings = configs.flatMap((name) => ['--config', join(import.meta.dirname, name)])
  // Not with --quiet, which keeps silent about errors too.
  const { code, out, said } = await ask(grype, [...settings, '-o', 'json', '--', source], '.')
  if (code !== 0) throw new Error(`grype ended with ${code}: ${errorIn(said)}`)
  return fromGrype(out)
}

/**
 * The same for a folder with installed packages. Grype alone reads only lock files there, and finds nothing among installed packages
 * (tried with 0.121.2), so Syft looks as it does into an image. Throws an Error too when there is no package at all.
 */
export const grypeTree = async (
  { grype, syft }: { readonly grype: string; readonly syft: string },
  tree: string,
  options: GrypeOptions,
): Promise<readonly Vulnerability[]> => {
  const json = await syftBom(syft, `dir:${tree}`, 'syft-json')
  if (report(json, 'syft', 'artifacts').at('artifacts').list().length === 0)
    throw new Error(`syft finds no package below ${tree}; name the folder that holds what is installed`)
  const folder = mkdtempSync(join(tmpdir(), 'postern-syft-'))
  try {
    writeFileSync(join(folder, 'bom.json'), json)
    return await grypeScan(grype, `sbom:${join(folder, 'bom.json')}`, options)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What Syft finds in an image or, behind `dir:`, in a folder. Throws an Error with its reason when it fails. */
export const syftBom = async (syft: string, source: string, format: string): Promise<string> => {
  const args = [
    ...['scan', '--config', join(import.meta.dirname, 'anchore.yaml'), '-o', format],
    ...(source.startsWith('dir:') ? ['--override-default-catalogers', 'image'] : []),
  ]
  const { code, out, said } = await ask(syft, [...args, '--', source], '.')
  if (code !== 0) throw new Error(`syft ended with ${code}: ${errorIn(said)}`)
  return out
}
