import { expect, test } from '@jest/globals'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { injectCommand } from './inject.ts'

const file = `# Our model
apiVersion: apps/v1
kind: Deployment
metadata:
  name: llama   # the name
spec:
  selector: { matchLabels: { app: llama } }
  template:
    metadata:
      labels: { app: llama, postern.dev/inject: "true" }
    spec:
      containers:
      - name: server
        image: "example.com/own:1"
        command: ["sh", "-c", 'python serve.py']   # as ever
        ports:
        - containerPort: 9000
---
# Clients come here
apiVersion: v1
kind: Service
metadata:
  name: llama
spec:
  selector: {app: llama}
  ports:
  - port: 80
    targetPort: 9000
---
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
data: {mode: "0644"}
`

/** What the tests look at in the objects that come out. */
interface Seen {
  readonly kind: string
  readonly patch: readonly unknown[]
  readonly status: { readonly mode: string }
  readonly spec: {
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> }
      readonly spec: { readonly initContainers: readonly { readonly name: string }[] }
    }
  }
}

const seen = (out: string): readonly Seen[] => parseAllDocuments(out).map((doc) => doc.toJS() as Seen)

interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

const run = async (args: readonly string[], stdin = ''): Promise<Ran> => {
  let out = ''
  let err = ''
  const code = await injectCommand.run(args, {
    out: (text) => (out += text),
    err: (text) => (err += text),
    stdin: () => Promise.resolve(Buffer.from(stdin)),
    env: {},
    paint: (_, text) => text,
  })
  return { code, out, err }
}

const inFolder = async (work: (folder: string) => Promise<void>): Promise<void> => {
  const folder = await mkdtemp(join(tmpdir(), 'inject-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

test('the diff shows what is added, and takes away only lines that really change', async () => {
  const { code, out, err } = await run(['-'], file)
  expect(code).toBe(0)
  expect(out.split('\n').filter((line) => /^-(?!--)/.test(line))).toEqual([
    '-      labels: { app: llama, postern.dev/inject: "true" }',
    '-    targetPort: 9000',
  ])
  expect(out).toContain('+      - name: postern')
  expect(err).toMatch(/service mode, model server on 9000/)
  expect(err).toMatch(/Service llama: It leads to port 9000 of the model by number/)
})

test('yaml keeps comments and untouched documents byte for byte, and a second run finds nothing to do', async () => {
  const { out } = await run(['-', '--output', 'yaml'], file)
  expect(out.slice(out.lastIndexOf('---'))).toBe(file.slice(file.lastIndexOf('---')))
  expect(out).toContain('command: ["sh", "-c", \'python serve.py\']   # as ever\n')
  expect(out).toContain('# Clients come here\n')
  const [deployment, service] = seen(out)
  expect(deployment?.spec.template.spec.initContainers[0]?.name).toBe('postern')
  expect(service).toMatchObject({
    metadata: { labels: { 'postern.dev/inject': 'true' } },
    spec: { ports: [{ targetPort: 8080 }] },
  })
  expect(await run(['-'], out)).toMatchObject({ code: 1, out: '' })
})

test('--write changes the file itself, with the profiles and the image that are named', () =>
  inFolder(async (folder) => {
    const path = join(folder, 'model.yaml')
    await writeFile(path, file)
    await writeFile(join(folder, 'default.yaml'), 'marker: mine\n')
    const { code } = await run([path, '--write', '--profile-dir', folder, '--image', 'mirror/postern:2'])
    expect(code).toBe(0)
    const written = await readFile(path, 'utf8')
    expect(written).toContain('marker: mine')
    expect(written).toContain('image: mirror/postern:2')
  }))

test('a List, as JSON: every item is looked at', async () => {
  const items = parseAllDocuments(file).map((doc) => doc.toJS() as unknown)
  const { out } = await run(
    ['-', '--output', 'json'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  )
  const { objects } = JSON.parse(out) as { readonly objects: readonly Seen[] }
  expect(objects.map((o) => [o.kind, o.patch.length > 0])).toEqual([
    ['Deployment', true],
    ['Service', true],
    ['ConfigMap', false],
  ])
  expect(objects[0]?.status.mode).toBe('service')
})

test('pods without the label are left alone, unless --all', async () => {
  const unlabelled = file.replace(', postern.dev/inject: "true"', '')
  expect((await run(['-'], unlabelled)).code).toBe(1)
  expect((await run(['-', '--all'], unlabelled)).out).toContain('postern.dev/inject: "true"')
})

test('a pod that the webhook would refuse prints its sentence and nothing else', async () => {
  const { code, out, err } = await run(
    ['-'],
    file.replace('    spec:\n', '    spec:\n      hostNetwork: true\n'),
  )
  expect({ code, out }).toEqual({ code: 3, out: '' })
  expect(err).toMatch(/Deployment llama in namespace default gets no guard: .* remove hostNetwork/)
})

test('anchors become values where a document changes', async () => {
  const anchored = file
    .replace('{ matchLabels: { app: llama } }', '{ matchLabels: &l { app: llama } }')
    .replace('labels: { app: llama,', 'labels: { <<: *l,')
  const { out, code } = await run(['-', '--output', 'yaml'], anchored)
  expect(code).toBe(0)
  const [deployment] = seen(out)
  expect(deployment?.spec.template.metadata.labels['app']).toBe('llama')
})

test.each([
  [['-', '--output', 'xml'], /diff, yaml or json/],
  [['a', 'b'], /one file/],
  [['-', '--write'], /in place/],
  [['/there/is/no/file'], /there is no such file/],
  [['-', '--settings', '/there/is/no/file'], /there is no such file/],
  [['-', '--profile-dir', '/there/is/no/folder'], /--profile-dir/],
] as const)('%j is answered with what to do', async (args, why) => {
  await expect(run(args, file)).rejects.toThrow(why)
})
