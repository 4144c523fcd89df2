import { writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { syftBom, treeIn } from './anchore.ts'
import { report } from './read.ts'
import { ask, lastLine, onPath } from './tool.ts'

/** Written, or why not. */
export type Written = { readonly components: number } | { readonly missing: string }

/** CycloneDX of the packages that a lock file ships, by npm, which needs no network for it. */
export const lockBom = async (lock: string, file: string): Promise<Written> => {
  const npm = onPath('npm')
  if (npm === undefined) return { missing: 'npm is missing' }
  const args = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only']
  const { code, out, said } = await ask(npm, args, dirname(lock))
  if (code !== 0) throw new Error(`npm sbom ended with ${code}: ${lastLine(said)}`)
  return written(out, 'npm sbom', file)
}

/** CycloneDX of all layers of an image, or of a folder with installed packages, by Syft. */
export const imageBom = async (image: string, file: string): Promise<Written> => {
  const syft = onPath('syft')
  if (syft === undefined) return { missing: 'syft is missing' }
  const tree = treeIn(image)
  const json = await syftBom(syft, tree === undefined ? image : `dir:${tree}`, 'cyclonedx-json')
  return written(json, 'syft', file)
}

const written = (json: string, by: string, file: string): Written => {
  const components = report(json, by, 'bomFormat')
    .at('components')
    .list()
    // Syft also names the files it read.
    .filter((each) => each.at('type').text() !== 'file').length
  writeFileSync(file, json)
  return { components }
}
