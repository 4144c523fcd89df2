import { isDeepStrictEqual } from 'node:util'
import { KubeError, type KubeApi, type KubeObject, type OwnerReference } from './api.ts'

/** Label of everything that the controller makes. */
export const MANAGED = { 'app.kubernetes.io/managed-by': 'postern-controller' } as const
export const FIELD_MANAGER = 'postern-controller'

/** An object that is to be exactly so: `content` is all of it but metadata. */
export interface Desired {
  readonly apiVersion: string
  readonly kind: string
  /** Of the collection within the namespace, such as `/api/v1/namespaces/a/configmaps`. */
  readonly path: string
  readonly namespace: string
  readonly name: string
  readonly owner: OwnerReference
  readonly annotations?: Readonly<Record<string, string>>
  readonly content: Readonly<Record<string, unknown>>
}

/** An existing object, whole. */
export type Actual = KubeObject & Readonly<Record<string, unknown>>

export interface Keeper {
  /** Makes the object so and tells whether anything had to be written. Throws KubeError; 409 means that somebody wrote meanwhile: look again. */
  put(desired: Desired, actual: Actual | undefined, signal: AbortSignal): Promise<boolean>
  /** Deletes the object as it was seen. One that is gone, or another of its name, is left alone. */
  remove(path: string, actual: KubeObject, signal: AbortSignal): Promise<void>
}

/**
 * Writes what differs, and nothing else. An absent object is made by server-side apply, which RBAC can limit by name; one that differs is
 * replaced whole at its resourceVersion, so that nothing of somebody else stays in it.
 */
export const keeper = (api: KubeApi): Keeper => {
  const remove: Keeper['remove'] = async (path, { metadata: { name, uid } }, signal) => {
    const body = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      ...(uid === undefined ? {} : { preconditions: { uid } }),
    }
    try {
      await api.call({ method: 'DELETE', path: `${path}/${name}`, body, signal })
    } catch (error) {
      if (!(error instanceof KubeError) || (error.status !== 404 && error.status !== 409)) throw error
    }
  }
  const put: Keeper['put'] = async (desired, actual, signal) => {
    const object = `${desired.path}/${desired.name}?fieldManager=${FIELD_MANAGER}`
    if (actual === undefined) {
      const body = wanted(desired, undefined)
      const type = 'application/apply-patch+yaml'
      await api.call({ method: 'PATCH', path: `${object}&force=true`, body, type, signal })
      return true
    }
    if (same(desired, actual)) return false
    try {
      await api.call({ method: 'PUT', path: object, body: wanted(desired, actual), signal })
    } catch (error) {
      // An immutable ConfigMap cannot be corrected, only made anew.
      if (!(error instanceof KubeError && error.status === 422)) throw error
      await remove(desired.path, actual, signal)
      return put(desired, undefined, signal)
    }
    return true
  }
  return { put, remove }
}

const wanted = (desired: Desired, actual: Actual | undefined): object => ({
  ...desired.content,
  apiVersion: desired.apiVersion,
  kind: desired.kind,
  metadata: {
    name: desired.name,
    namespace: desired.namespace,
    labels: MANAGED,
    ownerReferences: [desired.owner],
    ...(desired.annotations === undefined ? {} : { annotations: desired.annotations }),
    ...(actual === undefined ? {} : { resourceVersion: actual.metadata.resourceVersion }),
  },
})

/** Labels and annotations of others may stay; all that is not metadata is compared. */
const same = (desired: Desired, { metadata, ...rest }: Actual): boolean =>
  isDeepStrictEqual(contentOf(rest), desired.content) &&
  has(metadata.labels, MANAGED) &&
  has(metadata.annotations, desired.annotations ?? {}) &&
  (metadata.ownerReferences ?? []).some(({ uid }) => uid === desired.owner.uid)

const has = (
  actual: Readonly<Record<string, string>> | undefined,
  wantedPairs: Readonly<Record<string, string>>,
): boolean => Object.entries(wantedPairs).every(([key, value]) => actual?.[key] === value)

/** Items of a list come without kind and version, objects of a watch with them. */
const contentOf = (rest: Readonly<Record<string, unknown>>): object =>
  Object.fromEntries(Object.entries(rest).filter(([key]) => key !== 'apiVersion' && key !== 'kind'))
