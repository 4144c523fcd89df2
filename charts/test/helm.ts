import { execFile } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from '@jest/globals'
import { parseAllDocuments, stringify } from 'yaml'

/** One rendered Kubernetes object; `pick` reads below its metadata. */
export interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
}

export interface HelmResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

export interface TemplateOptions {
  /** Merged over values.yaml. */
  readonly values?: unknown
  /** Release name; `postern` when absent. */
  readonly release?: string
  /** Further arguments, such as `--kube-version`. */
  readonly args?: readonly string[]
}

const executable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Helm on PATH, in the test cluster's folder, or nothing. */
const helm = [
  ...(process.env.PATH ?? '').split(delimiter),
  ...(process.env.CLUSTER_HOME === undefined ? [] : [join(process.env.CLUSTER_HOME, 'bin')]),
  join(homedir(), '.cache/postern-cluster/bin'),
]
  .map((folder) => join(folder, 'helm'))
  .find(executable)

/** `test` where there is a helm, else a skip whose title says why. */
export const helmTest = (title: string, body: () => Promise<void>, timeoutMs = 60_000): void => {
  if (helm === undefined) test.skip(`${title} (skipped: helm is missing)`, body)
  else test(title, body, timeoutMs)
}

/** Runs helm away from the user's own settings and any cluster. `values` go in as the last values file. */
export const runHelm = (args: readonly string[], values?: unknown): Promise<HelmResult> =>
  new Promise((resolve, reject) => {
    if (helm === undefined) {
      reject(new Error('helm is missing'))
      return
    }
    const folder = mkdtempSync(join(tmpdir(), 'postern-helm-'))
    const file = join(folder, 'values.yaml')
    if (values !== undefined) writeFileSync(file, stringify(values, { version: '1.1' }))
    const homes = ['HELM_CACHE_HOME', 'HELM_CONFIG_HOME', 'HELM_DATA_HOME'].map((name) => [name, folder])
    const env = { ...process.env, ...Object.fromEntries(homes), KUBECONFIG: join(folder, 'none') }
    execFile(
      helm,
      [...args, ...(values === undefined ? [] : ['--values', file])],
      { env, maxBuffer: 64 * 1024 * 1024, timeout: 60_000 },
      (error, stdout, stderr) => {
        rmSync(folder, { recursive: true, force: true })
        if (error !== null && typeof error.code !== 'number')
          reject(new Error('helm did not run', { cause: error }))
        else resolve({ status: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
      },
    )
  })

/** `helm template` in namespace `postern`. Rejects with what helm says. */
export const template = async (
  chart: string,
  options: TemplateOptions = {},
): Promise<readonly Manifest[]> => {
  const { values, release = 'postern', args = [] } = options
  const { status, stdout, stderr } = await runHelm(
    ['template', release, chart, '--namespace', 'postern', ...args],
    values ?? {},
  )
  if (status !== 0) throw new Error(stderr)
  return parseAllDocuments(stdout)
    .map((document): unknown => {
      if (document.errors.length > 0)
        throw new Error(document.errors.map((error) => error.message).join('\n'))
      return document.toJS() as unknown
    })
    .filter((manifest): manifest is Manifest => manifest !== null)
}
