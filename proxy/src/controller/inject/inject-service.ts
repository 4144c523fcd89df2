import type { V1Service } from '@kubernetes/client-node'
import type { Plain } from './objects.ts'
import { label, type InjectSettings } from './settings.ts'

export type Service = Plain<V1Service>

export type ServiceInjection =
  | {
      readonly kind: 'changed' | 'unchanged'
      readonly service: Service
      readonly warnings: readonly string[]
    }
  | { readonly kind: 'refused'; readonly message: string }

const ORIGINAL = 'postern.dev/original-target-ports'
const PORT = 'postern.dev/port'

/**
 * The Service with its numeric TCP target ports at the guard while it has the label, and as they were when the label is gone.
 * Named target ports follow by themselves. Pure: the Service that is given stays as it is.
 */
export const injectService = (service: Service, settings: InjectSettings): ServiceInjection => {
  const wanted = service.metadata?.labels?.[label.inject] === 'true'
  const annotations = service.metadata?.annotations ?? {}
  const unknown = wanted
    ? Object.keys(annotations).find(
        (key) => key.startsWith('postern.dev/') && key !== ORIGINAL && key !== PORT,
      )
    : undefined
  if (unknown !== undefined) {
    return refused(service, `there is no annotation ${unknown} for Services; the one that exists is ${PORT}`)
  }
  const guard = guardPort(annotations[PORT], settings)
  if (wanted && guard === undefined) {
    return refused(
      service,
      `annotation ${PORT} is no port; write the number that the guard listens on, from 1 to 65535`,
    )
  }
  const original = readOriginal(annotations[ORIGINAL])
  if (wanted && guard !== undefined) return redirected(service, guard, original)
  return original === undefined ? { kind: 'unchanged', service, warnings: [] } : restored(service, original)
}

const redirected = (service: Service, guard: number, original: Original | undefined): ServiceInjection => {
  const moved = new Map<string, number>()
  const ports = service.spec?.ports?.map((port) => {
    if (port.protocol !== undefined && port.protocol !== 'TCP') return port
    const target = port.targetPort ?? port.port
    const before = original?.get(String(port.port))
    if (target === guard) {
      if (before !== undefined) moved.set(String(port.port), before)
      return port
    }
    if (typeof target !== 'number') return port
    moved.set(String(port.port), target)
    return { ...port, targetPort: guard }
  })
  const next: Service = withOriginal(
    { ...service, ...(service.spec && { spec: { ...service.spec, ...(ports && { ports }) } }) },
    moved,
  )
  const numeric = (service.spec?.ports ?? []).length > 0
  const warnings = !numeric || service.spec?.type === 'ExternalName' ? [noPorts(service)] : []
  return { kind: same(service, next) ? 'unchanged' : 'changed', service: next, warnings }
}

const restored = (service: Service, original: Original): ServiceInjection => {
  const ports = service.spec?.ports?.map((port) => {
    const before = original.get(String(port.port))
    return before === undefined || typeof port.targetPort !== 'number'
      ? port
      : { ...port, targetPort: before }
  })
  const next = withOriginal(
    { ...service, ...(service.spec && { spec: { ...service.spec, ...(ports && { ports }) } }) },
    new Map(),
  )
  return { kind: 'changed', service: next, warnings: [] }
}

/** By the Service's port, which is unique among its TCP ports. */
type Original = ReadonlyMap<string, number>

const readOriginal = (text: string | undefined): Original | undefined => {
  if (text === undefined) return undefined
  try {
    const entries = Object.entries(JSON.parse(text) as Readonly<Record<string, unknown>>)
    return new Map(entries.flatMap(([port, target]) => (isPort(target) ? [[port, target] as const] : [])))
  } catch {
    return new Map()
  }
}

const withOriginal = (service: Service, original: Original): Service => {
  const others = Object.entries(service.metadata?.annotations ?? {}).filter(([key]) => key !== ORIGINAL)
  const kept = original.size === 0 ? [] : [[ORIGINAL, JSON.stringify(Object.fromEntries(original))] as const]
  const annotations = Object.fromEntries([...others, ...kept])
  const metadata = { ...service.metadata, annotations }
  return {
    ...service,
    metadata: Object.keys(annotations).length > 0 ? metadata : withoutAnnotations(metadata),
  }
}

const withoutAnnotations = (metadata: NonNullable<Service['metadata']>): NonNullable<Service['metadata']> => {
  const rest = { ...metadata }
  delete rest.annotations
  return rest
}

const guardPort = (text: string | undefined, settings: InjectSettings): number | undefined => {
  if (text === undefined) return settings.guardPort
  const port = /^[0-9]{1,5}$/.test(text) ? Number(text) : undefined
  return isPort(port) ? port : undefined
}

const isPort = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535

const same = (a: Service, b: Service): boolean => JSON.stringify(a) === JSON.stringify(b)

const noPorts = (service: Service): string =>
  `Service ${service.metadata?.name ?? ''} has no ports that could lead to a guard; the label does nothing here.`

const refused = (service: Service, why: string): ServiceInjection => ({
  kind: 'refused',
  message: `Service ${service.metadata?.name ?? ''} is not changed: ${why}.`,
})
