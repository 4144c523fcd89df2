import { injectService, type Service } from './inject-service.ts'
import { injectWorkload, type Manifest, type WorkloadOptions } from './inject-workload.ts'
import { jsonPatch, type PatchOperation } from './json-patch.ts'
import { label } from './settings.ts'
import type { InjectStatus } from './inject-pod.ts'

/** What becomes of one object of a file. */
export interface ManifestResult {
  readonly kind: string
  readonly name: string
  readonly namespace: string
  readonly patch: readonly PatchOperation[]
  /** Of workloads with a guard. */
  readonly status: InjectStatus | undefined
  readonly notes: readonly string[]
  /** Why the webhook would refuse it. */
  readonly refused: string | undefined
}

/**
 * What the webhook would do to the objects of one file, in their order. A Service beside a workload whose guard has another port
 * than the model is changed too, as if it had the label: nothing else can do it where no webhook runs.
 */
export const injectManifests = (
  objects: readonly unknown[],
  options: WorkloadOptions,
): readonly ManifestResult[] => {
  const workloads = objects.map((object) => (isMap(object) ? injectWorkload(object, options) : undefined))
  const guarded = workloads.flatMap((result, i): readonly Guarded[] =>
    result?.kind === 'injected'
      ? [{ labels: result.labels, status: result.status, namespace: namespaceOf(objects[i], options) }]
      : [],
  )
  return objects.map((object, i) => {
    const result = workloads[i]
    const base = { ...identity(object, options), patch: [], status: undefined, notes: [], refused: undefined }
    if (result?.kind === 'refused') return { ...base, refused: result.message }
    if (result?.kind === 'injected') {
      const { status } = result
      return { ...base, patch: jsonPatch(object, result.object), status, notes: status.warnings }
    }
    if (!isMap(object) || object['apiVersion'] !== 'v1' || object['kind'] !== 'Service') return base
    return { ...base, ...forService(object, guarded, options) }
  })
}

interface Guarded {
  readonly labels: Readonly<Record<string, string>>
  readonly status: InjectStatus
  readonly namespace: string
}

const forService = (
  service: Service,
  guarded: readonly Guarded[],
  options: WorkloadOptions,
): Pick<ManifestResult, 'patch' | 'notes' | 'refused'> => {
  const asked = asIfLabelled(service, guarded, options)
  const result = injectService(asked.service, options.settings)
  if (result.kind === 'refused') return { patch: [], notes: [], refused: result.message }
  return {
    patch: jsonPatch(service, result.service),
    notes: [...asked.notes, ...result.warnings],
    refused: undefined,
  }
}

const asIfLabelled = (
  service: Service,
  guarded: readonly Guarded[],
  options: WorkloadOptions,
): { readonly service: Service; readonly notes: readonly string[] } => {
  const behind = guarded.find(
    ({ labels, namespace }) =>
      namespace === namespaceOf(service, options) && selects(service.spec?.selector, labels),
  )
  if (service.metadata?.labels?.[label.inject] !== undefined || !behind) return { service, notes: [] }
  const { mode, port, model } = behind.status
  const targets = (service.spec?.ports ?? []).map((each) => each.targetPort ?? each.port)
  if (mode === 'takeover' || !targets.includes(model.port)) return { service, notes: [] }
  const moved = port === options.settings.guardPort ? undefined : { 'postern.dev/port': String(port) }
  return {
    service: {
      ...service,
      metadata: {
        ...service.metadata,
        labels: { ...service.metadata?.labels, [label.inject]: 'true' },
        ...(moved && { annotations: { ...service.metadata?.annotations, ...moved } }),
      },
    },
    notes: [
      `It leads to port ${model.port} of the model by number, so it gets the label ${label.inject}: "true" and leads to the guard.`,
    ],
  }
}

const selects = (
  selector: Readonly<Record<string, string>> | undefined,
  labels: Readonly<Record<string, string>>,
): boolean => {
  const wanted = Object.entries(selector ?? {})
  return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value)
}

const identity = (
  object: unknown,
  options: WorkloadOptions,
): { readonly kind: string; readonly name: string; readonly namespace: string } => {
  const map = isMap(object) ? object : {}
  const metadata = isMap(map['metadata']) ? map['metadata'] : {}
  const name = metadata['name'] ?? metadata['generateName']
  return {
    kind: typeof map['kind'] === 'string' ? map['kind'] : '',
    name: typeof name === 'string' ? name : '',
    namespace: namespaceOf(object, options),
  }
}

const namespaceOf = (object: unknown, { namespace }: WorkloadOptions): string => {
  const metadata = isMap(object) ? object['metadata'] : undefined
  const own = isMap(metadata) ? metadata['namespace'] : undefined
  return typeof own === 'string' && own !== '' ? own : namespace
}

const isMap = (value: unknown): value is Manifest =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
