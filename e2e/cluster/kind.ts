import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { bin } from './folders.ts'
import { capture } from './kubectl.ts'
import type { Cluster } from './tiers.ts'

const KIND = 'v0.33.0'
const NAME = 'postern-e2e'

/** ConfigMaps and Secrets reach pods within seconds instead of a minute. */
const CONFIGURATION = `kind: Cluster
apiVersion: kind.x-k8s.io/v1alpha4
kubeadmConfigPatches:
  - |
    kind: KubeletConfiguration
    syncFrequency: 5s
`

/** Whether there is a Docker that answers; the command alone is not enough. */
export const dockerWorks = (): Promise<boolean> =>
  capture(['docker', 'info', '--format', '{{.ServerVersion}}']).then(
    (version) => version.trim() !== '',
    () => false,
  )

/** The same cluster by kind, whose own network plugin enforces NetworkPolicy. */
export const upKind = async (folder: string): Promise<Cluster> => {
  const kind = await program()
  mkdirSync(folder, { recursive: true })
  const kubeconfig = join(folder, 'kubeconfig')
  await capture([kind, 'delete', 'cluster', '--name', NAME])
  await capture(
    [
      kind,
      'create',
      'cluster',
      '--name',
      NAME,
      '--kubeconfig',
      kubeconfig,
      '--wait',
      '180s',
      '--config',
      '-',
    ],
    { stdin: CONFIGURATION },
  )
  return {
    kubeconfig,
    loader: [kind, 'load', 'image-archive', '--name', NAME],
    down: async () => {
      await capture([kind, 'delete', 'cluster', '--name', NAME])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

const program = async (): Promise<string> => {
  const installed = await capture(['kind', 'version']).catch(() => '')
  if (installed) return 'kind'
  const built = join(bin, 'kind')
  if (!existsSync(built))
    await capture(['go', 'install', `sigs.k8s.io/kind@${KIND}`], {
      env: { ...process.env, GOBIN: bin, CGO_ENABLED: '0' },
    })
  return built
}
