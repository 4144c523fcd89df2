import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Manifest } from './helm.ts'

const postern = fileURLToPath(new URL('../../proxy/bin/postern.mjs', import.meta.url))

/** What `postern check --document` finds in a configuration whose files only a pod has; empty when it is good. */
export const checkDocument = (configuration: string): string => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-profile-'))
  try {
    const file = join(folder, 'profile.yaml')
    writeFileSync(file, configuration)
    const { stderr, status } = spawnSync(process.execPath, [postern, 'check', '--document', file], {
      encoding: 'utf8',
    })
    return status === 0 ? '' : `exit status ${String(status)}: ${stderr}`
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Every guard configuration that chart postern renders: profiles, and the gateway's. */
export const profilesOf = (manifests: readonly Manifest[]): readonly string[] =>
  manifests
    .filter(
      ({ kind, metadata }) =>
        kind === 'ConfigMap' && ['postern-guard', 'postern-gateway'].includes(metadata.name),
    )
    .flatMap((manifest) => Object.values(dataOf(manifest)))

export const dataOf = (manifest: Manifest): Readonly<Record<string, string>> =>
  (manifest as Manifest & { readonly data: Record<string, string> }).data
