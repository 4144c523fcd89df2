import {
  CoreV1Api,
  type KubeConfig,
  type V1ObjectMeta,
  type V1OwnerReference,
  type V1Secret,
} from '@kubernetes/client-node'
import { asModel, kubeError, statusOf } from '../kube.ts'
import { authoritiesPem, StateError, writeGenerations, type Generations } from './state.ts'

/** As it lies in the cluster. */
export interface StoredState {
  readonly text: string
  readonly resourceVersion: string
  /** Someone asked for a new CA by the annotation `postern.dev/rotate`. */
  readonly rotationAsked: boolean
  /** Someone asked by the annotation `postern.dev/retire` that older CAs are trusted no more. */
  readonly retirementAsked: boolean
}

export interface SecretStore {
  /** Undefined when there is no Secret. Throws StateError when it is not ours, Error when there is no answer. */
  read(): Promise<StoredState | undefined>
  /** False when another replica was first. */
  create(generations: Generations): Promise<boolean>
  /** False when it has changed since `read` was read. Takes the annotation away that this answers. */
  replace(generations: Generations, read: StoredState, answers: 'rotation' | 'retirement'): Promise<boolean>
}

export interface SecretStoreOptions {
  readonly kube: KubeConfig
  readonly namespace: string
  readonly name: string
  /** Asked when the Secret is made. */
  readonly owner: () => Promise<V1OwnerReference | undefined>
}

const KEY = 'state.json'
const ROTATE = 'postern.dev/rotate'
const RETIRE = 'postern.dev/retire'

export const secretStore = ({ kube, namespace, name, owner }: SecretStoreOptions): SecretStore => {
  const api = kube.makeApiClient(CoreV1Api)
  const where = `Secret ${namespace}/${name}`
  const body = async (
    generations: Generations,
    { resourceVersion, annotations }: Pick<V1ObjectMeta, 'resourceVersion' | 'annotations'> = {},
  ): Promise<V1Secret> => {
    const owned = await owner()
    return asModel<V1Secret>({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'Opaque',
      metadata: {
        name,
        namespace,
        labels: { 'app.kubernetes.io/managed-by': 'postern-controller' },
        ...(resourceVersion !== undefined && { resourceVersion }),
        ...(annotations !== undefined && { annotations }),
        ...(owned !== undefined && { ownerReferences: [owned] }),
      },
      data: { [KEY]: base64(writeGenerations(generations)), 'ca.crt': base64(authoritiesPem(generations)) },
    })
  }
  /** A conflict is an answer, not a failure. */
  const unlessConflict = async (what: string, call: () => Promise<unknown>): Promise<boolean> => {
    try {
      await call()
      return true
    } catch (error) {
      if (statusOf(error) === 409) return false
      throw kubeError(`${what} ${where}`, error)
    }
  }
  return {
    read: async () => {
      try {
        return stored(await api.readNamespacedSecret({ namespace, name }), where)
      } catch (error) {
        if (statusOf(error) === 404) return undefined
        throw error instanceof StateError ? error : kubeError(`read ${where}`, error)
      }
    },
    create: (generations) =>
      unlessConflict('create', async () =>
        api.createNamespacedSecret({ namespace, body: await body(generations) }),
      ),
    replace: (generations, { resourceVersion, retirementAsked }, answers) =>
      unlessConflict('write', async () => {
        const still =
          retirementAsked && answers !== 'retirement' ? { annotations: { [RETIRE]: 'asked' } } : {}
        const written = await body(generations, { resourceVersion, ...still })
        await api.replaceNamespacedSecret({ namespace, name, body: written })
      }),
  }
}

const stored = ({ data, metadata }: V1Secret, where: string): StoredState => {
  const text = data?.[KEY]
  if (text === undefined)
    throw new StateError(
      `${where} has no key ${KEY}: it is not from this controller. Delete it, or name another in certificates.secret`,
    )
  return {
    text: Buffer.from(text, 'base64').toString('utf8'),
    resourceVersion: metadata?.resourceVersion ?? '',
    rotationAsked: metadata?.annotations?.[ROTATE] !== undefined,
    retirementAsked: metadata?.annotations?.[RETIRE] !== undefined,
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
