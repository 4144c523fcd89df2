/** What the API server, or an admission plug-in of Kubernetes, may have added to our objects. `*` is any name or index. */
type Added = Readonly<Record<string, (value: unknown) => boolean>>

const is =
  (expected: unknown) =>
  (value: unknown): boolean =>
    value === expected
const anything = (): boolean => true

const inContainer: Added = {
  terminationMessagePath: is('/dev/termination-log'),
  terminationMessagePolicy: is('File'),
  resizePolicy: Array.isArray,
  // LimitRanger
  'resources.limits.*': anything,
  'resources.requests.*': anything,
}

const inVolume: Added = {}

const TOKEN = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Our container as it stands in the pod already: ours, with the defaults that Kubernetes filled in, and quantities as it writes
 * them. Everything else that was found is dropped. So an injected pod comes out equal, and a forged guard does not live on.
 */
export const settleContainer = (ours: object, found: object | undefined): object =>
  found === undefined ? ours : (settle(ours, found, { path: '', added: inContainer }) as object)

export const settleVolume = (ours: object, found: object | undefined): object =>
  found === undefined ? ours : (settle(ours, found, { path: '', added: inVolume }) as object)

interface Place {
  readonly path: string
  readonly added: Added
}

const settle = (ours: unknown, found: unknown, place: Place): unknown => {
  if (Array.isArray(ours) && Array.isArray(found)) return settleList(ours, found, place)
  if (isMap(ours) && isMap(found)) {
    const settled: Record<string, unknown> = {}
    for (const [key, value] of Object.entries(ours)) {
      settled[key] = Object.hasOwn(found, key) ? settle(value, found[key], at(place, key)) : value
    }
    for (const [key, value] of Object.entries(found)) {
      if (!Object.hasOwn(ours, key) && mayAdd(at(place, key), value)) settled[key] = value
    }
    return settled
  }
  if (sameQuantity(ours, found, place.path)) return found
  // AlwaysPullImages made it stricter.
  if (place.path === 'imagePullPolicy' && found === 'Always') return found
  return ours
}

const settleList = (
  ours: readonly unknown[],
  found: readonly unknown[],
  place: Place,
): readonly unknown[] => {
  const settled = ours.map((value, i) => {
    const name = nameOf(value)
    const same = name === undefined ? found[i] : found.find((other) => nameOf(other) === name)
    return same === undefined ? value : settle(value, same, at(place, '*'))
  })
  if (place.path !== 'volumeMounts') return settled
  // The ServiceAccount plug-in mounts the pod's own token into every container.
  const token = found.find(
    (mount) =>
      isMap(mount) && mount['mountPath'] === TOKEN && mount['readOnly'] === true && !('subPath' in mount),
  )
  return token === undefined ? settled : [...settled, token]
}

const at = ({ path, added }: Place, key: string): Place => ({
  path: path === '' ? key : `${path}.${key}`,
  added,
})

const mayAdd = ({ path, added }: Place, value: unknown): boolean => {
  const wild = path.replace(/[^.]+$/, '*')
  const rule = [path, wild]
    .map((key) => (Object.hasOwn(added, key) ? added[key] : undefined))
    .find((found) => found !== undefined)
  return rule?.(value) === true
}

const sameQuantity = (ours: unknown, found: unknown, path: string): boolean => {
  if (!/^resources\.|(?:^|\.)sizeLimit$/.test(path)) return false
  const a = quantity(ours)
  const b = quantity(found)
  return a !== undefined && a === b
}

const FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
}

/** In thousandths, rounded, so that 0.5 and 500m are one number. */
const quantity = (value: unknown): number | undefined => {
  const found = /^([0-9]{1,15}(?:\.[0-9]{1,3})?)(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(String(value))
  const factor = FACTORS[found?.[2] ?? '']
  return found && factor !== undefined ? Math.round(Number(found[1]) * factor * 1000) : undefined
}

const nameOf = (value: unknown): unknown => (isMap(value) ? (value['name'] ?? value['mountPath']) : undefined)

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
