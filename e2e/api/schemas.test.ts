import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { allVariants, renderVariant, variantText } from '../../charts/test/all-variants.ts'
import { program, type Manifest } from '../../charts/test/helm.ts'
import {
  injectWorkload,
  type Manifest as Workload,
} from '../../proxy/src/controller/inject/inject-workload.ts'
import { settings } from '../../proxy/src/controller/inject/test/settings.ts'
import { api } from '../support/api.ts'
import { writeSchemas } from '../support/schemas.ts'

/** Kinds of other projects that are optional values of the charts; this API server does not know them. */
const FOREIGN = [
  'monitoring.coreos.com/v1/PodMonitor',
  'monitoring.coreos.com/v1/PrometheusRule',
  'monitoring.coreos.com/v1/ServiceMonitor',
  'cert-manager.io/v1/Certificate',
  'cert-manager.io/v1/Issuer',
  'keda.sh/v1alpha1/ScaledObject',
  'keda.sh/v1alpha1/TriggerAuthentication',
]

const kubeconform = program('kubeconform')
const conformTest = kubeconform === undefined ? test.skip : test
const title = (words: string): string =>
  kubeconform === undefined ? `${words} (skipped: kubeconform is missing)` : words

let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'postern-schemas-'))
  if (kubeconform === undefined) return
  const { kubectl } = await api()
  expect(await writeSchemas(kubectl, folder)).toBeGreaterThan(100)
}, 120_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Summary {
  readonly resources?: readonly { readonly kind: string; readonly name: string; readonly msg: string }[]
  readonly summary: {
    readonly valid: number
    readonly invalid: number
    readonly errors: number
    readonly skipped: number
  }
}

/** What kubeconform finds; a kind without a schema is an error. */
const conform = (text: string): Promise<Summary> => {
  const file = join(folder, 'manifests.yaml')
  writeFileSync(file, text)
  const schema = join(folder, '{{ .Group }}', '{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json')
  const core = join(folder, 'core', '{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json')
  const args = ['-strict', '-output', 'json', '-summary', '-skip', FOREIGN.join(',')]
  return new Promise((resolve) => {
    execFile(
      kubeconform ?? '',
      [...args, '-schema-location', schema, '-schema-location', core, file],
      (_, stdout) => resolve(JSON.parse(stdout) as Summary),
    )
  })
}

const yaml = (objects: readonly unknown[]): string =>
  objects.map((object) => stringify(object, { version: '1.1' })).join('---\n')

const expectValid = async (text: string, foreign = 0): Promise<void> => {
  const { resources, summary } = await conform(text)
  expect(resources ?? []).toEqual([])
  expect(summary).toMatchObject({ invalid: 0, errors: 0, skipped: foreign })
  expect(summary.valid).toBeGreaterThan(0)
}

describe.each(allVariants)('$name', (variant) => {
  conformTest(title('is what the schemas of the API server ask for, to the field'), async () => {
    const manifests = await renderVariant(variant)
    const foreign = manifests.filter((manifest) =>
      FOREIGN.includes(`${manifest.apiVersion}/${manifest.kind}`),
    )
    await expectValid(await variantText(variant), foreign.length)
  })
})

const root = join(import.meta.dirname, '../..')
const plain = [
  ...['security/rbac.yaml', 'security/mtls-policy.yaml'],
  ...readdirSync(join(root, 'charts/examples'))
    .filter((name) => name.endsWith('.yaml') && !name.endsWith('.values.yaml'))
    .map((name) => `charts/examples/${name}`),
]

conformTest.each(plain)(title('%s is what the schemas of the API server ask for'), async (file) => {
  await expectValid(readFileSync(join(root, file), 'utf8'))
})

conformTest.each(['vllm', 'tgi', 'ollama', 'llama-cpp', 'unknown'])(
  title('the guard beside %s is what the schemas of the API server ask for'),
  async (name) => {
    const file = join(root, 'proxy/src/controller/inject/test/manifests', `${name}.yaml`)
    const workload = parse(readFileSync(file, 'utf8')) as Workload
    const result = injectWorkload(workload, { settings, namespace: 'models', all: true })
    if (result.kind !== 'injected') throw new Error(result.kind)
    await expectValid(yaml([result.object]))
  },
)

conformTest(title('a misspelt field and an unknown kind are found'), async () => {
  const wrong: Manifest & { readonly dta: object } = {
    ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } },
    dta: {},
  }
  expect((await conform(yaml([wrong]))).summary).toMatchObject({ invalid: 1 })
  expect((await conform(yaml([{ ...wrong, kind: 'Nothing' }]))).summary).toMatchObject({ errors: 1 })
})
