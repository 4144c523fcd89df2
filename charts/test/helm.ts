import { execFile } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from '@jest/globals'
import { parseAllDocuments, stringify } from 'yaml'
import { bin } from '../../e2e/cluster/folders.ts'

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
  readonly helm?: HelmProgram
}

/** `helm` is the current one, `helm3` the former, which many clusters are still installed with. */
export type HelmProgram = 'helm' | 'helm3'

const executable = (file: string): boolean => {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A program on PATH, in the test cluster's folder, where Go puts what it installs, or nothing. */
export const program = (name: string): string | undefined =>
  [...(process.env.PATH ?? '').split(delimiter), bin, join(homedir(), 'go/bin')]
    .map((folder) => join(folder, name))
    .find(executable)

const programs: Readonly<Record<HelmProgram, string | undefined>> = {
  helm: program('helm'),
  helm3: program('helm3'),
}

/** `test` where there is a helm, else a skip whose title says why. */
export const helmTest = (title: string, body: () => Promise<void>, timeoutMs = 60_000): void => {
  if (programs.helm === undefined) test.skip(`${title} (skipped: helm is missing)`, body)
  else test(title, body, timeoutMs)
}

/** The same where Helm 3 is besides, called helm3. */
export const helm3Test = (title: string, body: () => Promise<void>, timeoutMs = 60_000): void => {
  if (programs.helm === undefined || programs.helm3 === undefined)
    test.skip(`${title} (skipped: helm or helm3 is missing)`, body)
  else test(title, body, timeoutMs)
}

/** Runs helm away from the user's own settings and any cluster. `values` go in as the last values file. */
export const runHelm = (
  args: readonly string[],
  values?: unknown,
  name: HelmProgram = 'helm',
): Promise<HelmResult> =>
  new Promise((resolve, reject) => {
    const helm = programs[name]
    if (helm === undefined) {
      reject(new Error(`${name} is missing`))
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

/** What `helm template` prints, for namespace `postern`. Rejects with what helm says. */
export const templateText = async (chart: string, options: TemplateOptions = {}): Promise<string> => {
  const { values, release = 'postern', args = [], helm } = options
  const { status, stdout, stderr } = await runHelm(
    ['template', release, chart, '--namespace', 'postern', ...args],
    values ?? {},
    helm,
  )
  if (status !== 0) throw new Error(stderr)
  return stdout
}

/** The same as objects. */
export const template = async (chart: string, options: TemplateOptions = {}): Promise<readonly Manifest[]> =>
  parseAllDocuments(await templateText(chart, options))
    .map((document): unknown => {
      if (document.errors.length > 0)
        throw new Error(document.errors.map((error) => error.message).join('\n'))
      return document.toJS() as unknown
    })
    .filter((manifest): manifest is Manifest => manifest !== null)
