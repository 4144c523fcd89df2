import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse, parseAllDocuments } from 'yaml'
import { eventually } from '../cluster/processes.ts'
import { modelPod, release, RELEASE, type Pod, type Release } from './chart-release.ts'
import { keyless, lies, modelOf, partsOf, sidecar, type Parts } from './verified-pods.ts'

const file = (path: string): string => fileURLToPath(new URL(`../../charts/${path}`, import.meta.url))

let cluster: Release
/** As the example has it, with its guard. */
let verified: Pod

const require = (more: object = {}) => ({
  injection: { by: 'policy' },
  admission: { requireVerifiedModels: { enabled: true, ...more } },
})

const create = (pod: Pod): Promise<string> =>
  cluster.kubectl(['create', '--dry-run=server', '-f', '-'], JSON.stringify(pod))

const otherClaim = { persistentVolumeClaim: { claimName: 'other' } }

const changed = (change: (of: Parts, pod: Pod) => unknown): Pod => {
  const pod = structuredClone(verified)
  change(partsOf(pod), pod)
  return pod
}

/** The pod of a Deployment in the namespace of the test. */
const podOf = (manifests: string): Pod => {
  const deployment = parseAllDocuments(manifests)
    .map((one) => one.toJS() as { kind?: string; spec: { template: Pod } } | null)
    .find((one) => one?.kind === 'Deployment')
  const { metadata, spec } = deployment!.spec.template
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name: 'model', namespace: cluster.models },
    spec: spec!,
  }
}

beforeAll(async () => {
  cluster = await release()
  await cluster.install(require())
  const example = podOf(readFileSync(file('examples/verified.yaml'), 'utf8'))
  verified = await eventually(() => cluster.admitted(example), 30)
  await eventually(
    () => expect(create(changed((of) => of.inits.splice(1)))).rejects.toThrow(/verified models only/),
    30,
  )
})

afterAll(() => cluster.end())

test('the API server finds nothing wrong with any expression of the policy', async () => {
  const { status } = await eventually(async () => {
    const found = parse(
      await cluster.kubectl(['get', 'validatingadmissionpolicy', `${RELEASE}-verified`, '-o', 'yaml']),
    ) as { status?: { typeChecking?: { expressionWarnings?: unknown } } }
    if (found.status?.typeChecking === undefined) throw new Error('not checked yet')
    return found
  }, 30)
  expect(status!.typeChecking!.expressionWarnings ?? []).toEqual([])
})

describe('a pod whose model is verified is admitted', () => {
  const admitted: readonly (readonly [string, (of: Parts, pod: Pod) => unknown])[] = [
    ['as the example has it', () => undefined],
    ['with --digest', (of) => of.args.push(`--digest=${'a'.repeat(64)}`)],
    [
      'with root certificates in place of a key',
      (of) => of.args.splice(1, 1, '--certificate-chain=/etc/model-key/roots.pem'),
    ],
    ['without --signature', (of) => of.args.splice(2, 1)],
    [
      'with a token for every container, as the API server adds it',
      (_, pod) => (pod.spec!.automountServiceAccountToken = true),
    ],
    [
      'with what a cloud adds for its own identity',
      (of) => {
        of.volumes.push({
          name: 'aws-iam-token',
          projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'sts' } }] },
        })
        const token = '/var/run/secrets/eks.amazonaws.com/serviceaccount'
        for (const one of [of.checkMounts, of.serverMounts])
          one.push({ name: 'aws-iam-token', mountPath: token, readOnly: true })
        of.check.env = [{ name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${token}/token` }]
      },
    ],
    [
      'that an init container fetches before',
      (of) => {
        const fetch = { ...structuredClone(of.server), name: 'fetch' }
        Object.assign(fetch, { ports: [], readinessProbe: undefined, lifecycle: undefined, resources: {} })
        fetch.volumeMounts = [{ name: 'cache', mountPath: '/models' }]
        const at = of.inits.findIndex(({ name }) => name === 'verify-model')
        of.inits.splice(at, 0, fetch)
        Object.assign(
          of.volumes.find(({ name }) => name === 'cache')!,
          {
            persistentVolumeClaim: undefined,
            emptyDir: {},
          },
        )
      },
    ],
    [
      'in an image that is named by its digest',
      (of) => modelOf(of, { image: { reference: `registry.example.com/model@sha256:${'d'.repeat(64)}` } }),
    ],
    [
      'with a sidecar that reads what the model server writes',
      (of) => of.inits.push(sidecar(of, { name: 'tmp', mountPath: '/logs', readOnly: true })),
    ],
    [
      'with a second one that is verified too',
      (of) => {
        of.volumes.push({ name: 'draft', persistentVolumeClaim: { claimName: 'draft' } })
        const second = structuredClone(of.check)
        second.name = 'verify-model-draft'
        second.args![0] = '/models/draft'
        second.volumeMounts = [{ name: 'draft', mountPath: '/models/draft', readOnly: true }, of.keyMount]
        of.inits.push(second)
        of.serverMounts.push({ name: 'draft', mountPath: '/models/draft', readOnly: true })
      },
    ],
  ]

  test.each(admitted)('%s', async (_, change) => {
    expect(await create(changed(change))).toMatch(/pod\/model created/)
  })

  test.each([
    ['on a claim', []],
    ['downloaded before', ['--set=download.enabled=true,download.image=example.com/fetch:1']],
  ])('by charts/llm-api, %s', async (_, more) => {
    const values = ['vllm', 'verified'].map((name) => `--values=${file(`examples/${name}.values.yaml`)}`)
    const rendered = await cluster.helm([
      'template',
      'chat',
      file('llm-api'),
      '--set=guard.mode=injected',
      ...values,
      ...more,
    ])
    const pod = podOf(rendered)
    // Not made by this test.
    delete pod.spec!.serviceAccountName
    expect(await cluster.admitted(pod)).toMatchObject({ kind: 'Pod' })
  })
})

describe('a pod whose check is missing or only looks like one is refused', () => {
  test.each(lies)('%s', async (_, change, message) => {
    await expect(create(changed(change))).rejects.toThrow(message)
  })

  test('however many containers and volumes it has', async () => {
    const many = (count: number) =>
      changed((of, pod) => {
        const numbers = Array.from({ length: count }, (_, at) => at)
        for (const at of numbers) of.volumes.push({ name: `v${at}`, emptyDir: {} })
        const volumeMounts = numbers.map((at) => ({ name: `v${at}`, mountPath: `/v/${at}` }))
        for (const at of numbers)
          pod.spec!.containers.push({
            ...structuredClone(of.server),
            name: `c${at}`,
            ports: [],
            volumeMounts,
          })
        of.serverMounts.push(...volumeMounts)
      })
    expect(await create(many(30))).toMatch(/created/)
    const large = many(100)
    delete partsOf(large).served.readOnly
    await expect(create(large)).rejects.toThrow(/can be written|cost|budget/)
  })
})

describe('what is left alone', () => {
  const label = (...labels: readonly string[]) =>
    cluster.kubectl(['label', '--overwrite', 'namespace', cluster.models, ...labels])
  const bare = () => changed((of) => of.inits.splice(1))

  test('pods of namespaces that are not guarded', async () => {
    const elsewhere = await cluster.namespace('elsewhere')
    const pod = modelPod(elsewhere, (one) => delete one.metadata!.labels)
    expect(await create(pod)).toMatch(/created/)
    await cluster.kubectl(['delete', 'namespace', elsewhere, '--wait=false'])
  })

  test('pods that load no model, where the owner of the namespace says so', async () => {
    const pod = bare()
    pod.metadata!.labels!['postern.dev/unverified'] = 'true'
    await expect(create(pod)).rejects.toThrow(/verified models only/)
    await label('postern.dev/allow-unverified=true')
    expect(await eventually(() => create(pod), 20)).toMatch(/created/)
    await label('postern.dev/allow-unverified-')
  })

  test('namespaces that the selector leaves out', async () => {
    await cluster.install(require({ namespaceSelector: { matchLabels: { models: 'signed' } } }))
    expect(await eventually(() => create(bare()), 30)).toMatch(/created/)
    await label('models=signed')
    await eventually(() => expect(create(bare())).rejects.toThrow(/verified models only/), 30)
  })

  test('running pods, but for the image of their check and for debug containers that write the model', async () => {
    await cluster.install({ ...require(), admission: { ...require().admission, debug: 'allow' } })
    await eventually(() => expect(create(bare())).rejects.toThrow(/verified models only/), 30)
    // No container mounts the second claim yet.
    const pod = changed((of) => of.volumes.push({ name: 'unused', ...otherClaim }))
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify(pod))
    const set = (...args: readonly string[]) => cluster.kubectl(['-n', cluster.models, ...args])
    await set('label', 'pod', 'model', 'team=a')
    await set('set', 'image', 'pod/model', 'model=vllm/vllm-openai:v0.33.1')
    await expect(set('set', 'image', 'pod/model', 'verify-model=example.invalid/true:1')).rejects.toThrow(
      /of a running pod may only become/,
    )
    const debug = (name: string, readOnly: boolean) => {
      const volumeMounts = [{ name, mountPath: '/m', readOnly }]
      const { securityContext } = partsOf(verified).server
      const one = {
        name: `debug-${name}-${String(readOnly)}`,
        image: 'example.invalid/sh:1',
        securityContext,
        volumeMounts,
      }
      const patch = JSON.stringify({ spec: { ephemeralContainers: [one] } })
      return set('patch', 'pod', 'model', '--subresource=ephemeralcontainers', `--patch=${patch}`)
    }
    await eventually(() => expect(debug('cache', false)).rejects.toThrow(/can be written/), 20)
    await expect(debug('unused', true)).rejects.toThrow(/may hold a model and that nothing verifies/)
    expect(await eventually(() => debug('cache', true), 20)).toMatch(/patched/)
    await set('label', 'pod', 'model', 'team=b', '--overwrite')
    await set('delete', 'pod', 'model', '--force')
  })
})

test('a digest of the image, digests of models and further images are demanded or allowed by value', async () => {
  const digest = `sha256:${'c'.repeat(64)}`
  const released = 'd'.repeat(64)
  await cluster.install(
    require({ digest: true, images: ['registry.example.com/postern@'], modelDigests: [released] }),
  )
  await eventually(() => expect(create(verified)).rejects.toThrow(/by its digest/), 30)
  const pinned = (...args: readonly string[]) =>
    changed((of) => {
      of.check.image = `registry.example.com/postern@${digest}`
      of.args.push(...args)
    })
  await expect(create(pinned())).rejects.toThrow(/which is needed here/)
  await expect(create(pinned(`--digest=${'e'.repeat(64)}`))).rejects.toThrow(/was not released/)
  expect(await create(pinned(`--digest=${released}`))).toMatch(/created/)
  for (const image of [`registry.example.com/postern-x@${digest}`, 'registry.example.com/postern@sha256:c'])
    await expect(create(changed((of) => (of.check.image = image)))).rejects.toThrow(
      /image of verify-model|invalid/i,
    )
})

test('keyless signatures count by the identities that the value names, each with its own provider', async () => {
  const pair = (name: string) => [`https://ci.example.com/${name}`, `https://${name}.example.com`] as const
  const identities = ['one', 'two'].map((name) => {
    const [identity, identityProvider] = pair(name)
    return { identity, identityProvider }
  })
  await cluster.install(require({ identities }))
  const by = (identity: string, identityProvider: string, ...more: readonly string[]) =>
    create(
      changed((of) => {
        keyless(of, identity, identityProvider)
        of.args.push(...more)
      }),
    )
  expect(await eventually(() => by(...pair('one')), 30)).toMatch(/created/)
  expect(await by(...pair('two'))).toMatch(/created/)
  const refused = /no pair of the value/
  await expect(by(pair('one')[0], pair('two')[1])).rejects.toThrow(refused)
  await expect(by(...pair('one'), '--identity=https://example.com/mine')).rejects.toThrow(refused)
  await expect(by(...pair('one'), '--identity')).rejects.toThrow(/the arguments of verify-model/)
})

test('claims may be refused, and volumes that hold no model named', async () => {
  const inClaim = (of: Parts) => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
    of.volumes.push({ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec } } })
    of.serverMounts.push({ name: 'scratch', mountPath: '/scratch' })
  }
  await cluster.install(require({ ownVolumes: true, filledVolumes: ['scratch', 'tmp'] }))
  await eventually(() => expect(create(verified)).rejects.toThrow(/other pods may write the volume/), 30)
  const own = (change: (of: Parts) => unknown) =>
    changed((of) => {
      modelOf(of, { emptyDir: {} })
      change(of)
    })
  expect(await create(own(inClaim))).toMatch(/created/)
  expect(await create(own((of) => of.inits.push(sidecar(of, { name: 'tmp', mountPath: '/out' }))))).toMatch(
    /created/,
  )
})

test('the keys of signers are written by those whom the value names, by nobody else', async () => {
  const writer = 'system:serviceaccount:argocd:sync'
  const write = (kind: string, name: string, ...who: readonly string[]) =>
    cluster.kubectl(
      ['apply', '--server-side', '--force-conflicts', '-f', '-', ...who],
      `{apiVersion: v1, kind: ${kind}, metadata: {name: ${name}, namespace: ${cluster.models}}}`,
    )
  await cluster.install(require({ keyWriters: [writer], secrets: ['signer'] }))
  await eventually(() => expect(write('Secret', 'signer')).rejects.toThrow(/public keys of signers/), 30)
  await write('ConfigMap', 'model-signers', `--as=${writer}`, '--as-group=system:masters')
  await expect(write('ConfigMap', 'model-signers')).rejects.toThrow(/public keys of signers/)
  await expect(cluster.kubectl(['-n', cluster.models, 'delete', 'configmap', '--all'])).rejects.toThrow(
    /public keys of signers/,
  )
  await write('ConfigMap', 'signer')
  await write('Secret', 'model-signers')
})
