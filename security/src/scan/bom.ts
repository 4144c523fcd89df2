import { writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { ask, lastLine, onPath } from './tool.ts'
import { report } from './read.ts'

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

/** CycloneDX 1.6 of all layers of an image, by Syft. */
export const imageBom = async (image: string, file: string): Promise<Written> => {
  const syft = onPath('syft')
  if (syft === undefined) return { missing: 'syft is missing' }
  const { code, out, said } = await ask(syft, ['scan', '--quiet', '-o', 'cyclonedx-json', '--', image], '.')
  if (code !== 0) throw new Error(`syft ended with ${code}: ${lastLine(said)}`)
  return written(out, 'syft', file)
}

const written = (json: string, by: string, file: string): Written => {
  const components = report(json, by, 'bomFormat').at('components').list().length
  writeFileSync(file, json)
  return { components }
}
