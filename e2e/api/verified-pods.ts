import type { Plain, Pod } from './chart-release.ts'
import type { V1Container, V1Volume, V1VolumeMount } from '@kubernetes/client-node'

/** A verified pod, taken apart: a change of a part changes the pod. */
export interface Parts {
  readonly inits: Plain<V1Container>[]
  readonly volumes: Plain<V1Volume>[]
  readonly guard: Plain<V1Container>
  readonly check: Plain<V1Container>
  readonly args: string[]
  readonly checkMounts: Plain<V1VolumeMount>[]
  readonly modelMount: Plain<V1VolumeMount>
  readonly keyMount: Plain<V1VolumeMount>
  /** Volume of the public key. */
  readonly key: Plain<V1Volume>
  readonly server: Plain<V1Container>
  readonly serverMounts: Plain<V1VolumeMount>[]
  /** The model, as the model server mounts it. */
  readonly served: Plain<V1VolumeMount>
}

/** Throws for a pod that is not as charts/examples/verified.yaml has it, with its guard. */
export const partsOf = (pod: Pod): Parts => {
  const inits = there(pod.spec?.initContainers)
  const volumes = there(pod.spec?.volumes)
  const check = there(inits.find(({ name }) => name === 'verify-model'))
  const checkMounts = there(check.volumeMounts)
  const server = there(pod.spec?.containers[0])
  const serverMounts = there(server.volumeMounts)
  return {
    ...{ inits, volumes, check, checkMounts, server, serverMounts },
    guard: there(inits.find(({ name }) => name === 'postern')),
    args: there(check.args),
    modelMount: there(checkMounts.find(({ name }) => name === 'cache')),
    keyMount: there(checkMounts.find(({ name }) => name === 'model-key')),
    key: there(volumes.find(({ name }) => name === 'model-key')),
    served: there(serverMounts.find(({ name }) => name === 'cache')),
  }
}

const there = <T>(part: T | undefined): T => {
  if (part === undefined) throw new Error('the pod is not as the example has it')
  return part
}

/** The verified volume becomes another one. */
export const modelOf = (of: Parts, source: Partial<Plain<V1Volume>>): void => {
  const cache = there(of.volumes.find(({ name }) => name === 'cache'))
  delete cache.persistentVolumeClaim
  Object.assign(cache, source)
}

/** Whose signature counts is said by an identity under Sigstore, in place of a key. */
export const keyless = (of: Parts, identity: string, identityProvider: string): void => {
  const given = [`--identity=${identity}`, `--identity-provider=${identityProvider}`]
  of.args.splice(1, 1, '--trusted-root=/etc/model-key/trusted_root.json', ...given)
}

/** Starts before the model server, and stays. */
export const sidecar = (of: Parts, mount: Plain<V1VolumeMount>): Plain<V1Container> => ({
  ...{ name: 'bring', image: 'example.invalid/bring:1', restartPolicy: 'Always', volumeMounts: [mount] },
  securityContext: structuredClone(there(of.server.securityContext)),
})

const filled = {
  ...{ accessModes: ['ReadWriteOnce'], volumeName: 'filled', storageClassName: '' },
  resources: { requests: { storage: '1Gi' } },
}

const claim = { persistentVolumeClaim: { claimName: 'other' } }

/** How a pod may seem verified and not be, and what it is told. */
export const lies: readonly (readonly [string, (of: Parts, pod: Pod) => unknown, RegExp])[] = [
  ['no check', (of) => of.inits.splice(1), /no init container verifies this one/],
  ['a check under another name', (of) => (of.check.name = 'check'), /no init container verifies this one/],
  ['another image', (of) => (of.check.image = 'example.invalid/true:1'), /image of verify-model/],
  [
    'an image that only begins like it',
    (of) => (of.check.image = 'ghcr.io/postern/postern:0.1.0-mine'),
    /image of verify-model/,
  ],
  ['another command', (of) => (of.check.command = ['/bin/true']), /runs something else/],
  ['no command, so that the image serves', (of) => delete of.check.command, /runs something else/],
  [
    'NODE_OPTIONS',
    (of) => (of.check.env = [{ name: 'NODE_OPTIONS', value: '--check' }]),
    /runs something else/,
  ],
  ['envFrom', (of) => (of.check.envFrom = [{ configMapRef: { name: 'x' } }]), /runs something else/],
  ['a working directory', (of) => (of.check.workingDir = '/models'), /runs something else/],
  [
    'an empty file over its program',
    (of) => (of.check.terminationMessagePath = '/postern/security/src/model/init-container.ts'),
    /runs something else/,
  ],
  [
    'a device that may bring files',
    (of, pod) => {
      Object.assign(pod.spec ?? {}, { resourceClaims: [{ name: 'x', resourceClaimName: 'x' }] })
      of.check.resources = { claims: [{ name: 'x' }] }
    },
    /runs something else/,
  ],
  [
    'a second check that checks nothing',
    (of) => of.inits.push({ ...structuredClone(of.check), name: 'verify-model-b', command: ['/bin/true'] }),
    /runs something else/,
  ],
  ['a check that nobody waits for', (of) => (of.check.restartPolicy = 'Always'), /runs something else/],
  ['no key', (of) => of.args.splice(1, 1), /the arguments of verify-model/],
  ['two keys', (of) => of.args.push('--public-key=/etc/model-key/x'), /the arguments of/],
  ['a key from the model', (of) => (of.args[1] = '--public-key=/models/support/x'), /the arguments/],
  [
    'a key and certificates',
    (of) => of.args.push('--certificate-chain=/etc/model-key/x'),
    /the arguments of verify-model/,
  ],
  [
    'an identity of its own',
    (of) => keyless(of, 'https://example.com/mine', 'https://issuer.example.com'),
    /no pair of the value/,
  ],
  ['an identity beside a key', (of) => of.args.push('--identity=me'), /no pair of the value/],
  ['an unknown flag', (of) => of.args.push('--ignore=weights.bin'), /the arguments of verify-model/],
  ['a second folder', (of) => of.args.push('/models/support'), /the arguments of verify-model/],
  [
    'a model laid over the program',
    (of) => {
      of.args[0] = '/postern/security'
      of.modelMount.mountPath = '/postern/security'
    },
    /must not cover what the image needs/,
  ],
  ['another folder than the mounted one', (of) => (of.args[0] = '/models'), /mounts two volumes/],
  ['a check that can write', (of) => delete of.modelMount.readOnly, /mounts two volumes/],
  [
    'a third volume',
    (of) => of.checkMounts.push({ name: 'tmp', mountPath: '/models/support/more' }),
    /mounts two volumes/,
  ],
  ['a key of its own', (of) => (of.key.configMap = { name: 'mine' }), /ConfigMap \(model-signers\)/],
  [
    'a key from the volume of the model',
    (of) => Object.assign(of.keyMount, { name: 'cache', subPath: 'keys' }),
    /mounts two volumes/,
  ],
  [
    'a model server that mounts something else',
    (of) => of.serverMounts.splice(0, 1),
    /no container mounts the model/,
  ],
  ['a model that is written', (of) => delete of.served.readOnly, /can be written/],
  [
    'a sidecar that writes it',
    (of) =>
      of.inits.splice(1, 0, {
        ...structuredClone(of.check),
        name: 'sync',
        restartPolicy: 'Always',
        volumeMounts: [{ name: 'cache', mountPath: '/models/support', subPath: 'support' }],
      }),
    /can be written/,
  ],
  [
    'an init container that writes it after the check',
    (of) =>
      of.inits.push({
        ...structuredClone(of.check),
        name: 'late',
        volumeMounts: [{ name: 'cache', mountPath: '/models/support', subPath: 'support' }],
      }),
    /can be written/,
  ],
  ['more of the volume', (of) => delete of.served.subPath, /the same subPath/],
  ['another folder of it', (of) => (of.served.subPath = 'evil'), /sees more of the volume|something else/],
  [
    'a second claim',
    (of) => {
      of.volumes.push({ name: 'other', ...claim })
      of.serverMounts.push({ name: 'other', mountPath: '/other', readOnly: true })
    },
    /may hold a model and that nothing verifies/,
  ],
  [
    'the same claim under another name',
    (of) => {
      of.volumes.push({
        name: 'again',
        persistentVolumeClaim: { claimName: 'models' },
      })
      of.serverMounts.push({ name: 'again', mountPath: '/other' })
    },
    /may hold a model and that nothing verifies/,
  ],
  [
    'a bucket by CSI',
    (of) => {
      of.volumes.push({ name: 'bucket', csi: { driver: 'gcsfuse.csi.storage.gke.io' } })
      of.serverMounts.push({ name: 'bucket', mountPath: '/other', readOnly: true })
    },
    /may hold a model and that nothing verifies/,
  ],
  [
    'a claim that is made from another',
    (of) => {
      const spec = {
        accessModes: ['ReadWriteOnce'],
        resources: { requests: { storage: '1Gi' } },
        dataSource: { kind: 'PersistentVolumeClaim', name: 'other' },
      }
      of.volumes.push({ name: 'clone', ephemeral: { volumeClaimTemplate: { spec } } })
      of.serverMounts.push({ name: 'clone', mountPath: '/other' })
    },
    /may hold a model and that nothing verifies/,
  ],
  [
    'a claim of its own, for a volume that somebody filled',
    (of) => {
      of.volumes.push({ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: filled } } })
      of.serverMounts.push({ name: 'scratch', mountPath: '/scratch' })
    },
    /may hold a model and that nothing verifies/,
  ],
  [
    'a verified image whose tag may be moved before the model server gets it',
    (of) => modelOf(of, { image: { reference: 'registry.example.com/model:1', pullPolicy: 'Always' } }),
    /Name it by its digest/,
  ],
  [
    'a block device',
    (of) => {
      of.volumes.push({ name: 'other', ...claim })
      of.server.volumeDevices = [{ name: 'other', devicePath: '/dev/model' }]
    },
    /may hold a model and that nothing verifies/,
  ],
  [
    'a model that an init container leaves in an emptyDir',
    (of) =>
      of.inits.push({
        ...structuredClone(of.check),
        name: 'fetch',
        volumeMounts: [{ name: 'tmp', mountPath: '/out' }],
      }),
    /fills an emptyDir/,
  ],
  [
    'a model that a sidecar leaves in an emptyDir',
    (of) => {
      of.inits.push(sidecar(of, { name: 'tmp', mountPath: '/out' }))
    },
    /a sidecar fills an emptyDir/,
  ],
  [
    'a file over a verified one',
    (of) => {
      of.volumes.push({ name: 'config', configMap: { name: 'mine' } })
      of.serverMounts.push({
        name: 'config',
        mountPath: '/models/support/config.json',
        subPath: 'config.json',
      })
    },
    /inside the folder of the verified model/,
  ],
  [
    'a file over a verified one, by a path that is written otherwise',
    (of) => {
      of.volumes.push({ name: 'config', configMap: { name: 'mine' } })
      of.serverMounts.push({ name: 'config', mountPath: '/models/./support' })
    },
    /inside the folder of the verified model/,
  ],
]
