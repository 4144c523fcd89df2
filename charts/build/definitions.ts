import { readFileSync } from 'node:fs'

/** A JSON Schema of draft-07. */
export type JsonSchema = Readonly<Record<string, unknown>>

const text = { type: 'string' } as const
const texts = { type: 'array', items: text } as const
const closed = (properties: Record<string, unknown>, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
  additionalProperties: false,
})
const list = (items: unknown): JsonSchema => ({ type: 'array', items })
const use = (name: string): JsonSchema => ({ $ref: `#/definitions/${name}` })
const strings: JsonSchema = { type: 'object', additionalProperties: text }

const quantity: JsonSchema = {
  anyOf: [
    { type: 'string', pattern: '^[0-9]+([.][0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$' },
    { type: 'number' },
  ],
}

const expression = closed({ key: text, operator: text, values: texts }, ['key', 'operator'])
const weight = { type: 'integer', minimum: 1, maximum: 100 }
const podTerm = closed(
  {
    labelSelector: use('labelSelector'),
    matchLabelKeys: texts,
    mismatchLabelKeys: texts,
    namespaces: texts,
    namespaceSelector: use('labelSelector'),
    topologyKey: text,
  },
  ['topologyKey'],
)
const podAffinity = closed({
  requiredDuringSchedulingIgnoredDuringExecution: list(podTerm),
  preferredDuringSchedulingIgnoredDuringExecution: list(
    closed({ weight, podAffinityTerm: podTerm }, ['weight', 'podAffinityTerm']),
  ),
})
const nodeTerm = closed({ matchExpressions: list(expression), matchFields: list(expression) })

/** What `{$ref: name}` in a hint may name. Kubernetes types are closed too, so that a slip in one is found before the API server. */
const kubernetes: Readonly<Record<string, JsonSchema>> = {
  quantity,
  strings,
  labels: { type: 'object', additionalProperties: { type: 'string', maxLength: 63 } },
  port: { type: 'integer', minimum: 1, maximum: 65535 },
  duration: { type: 'string', pattern: '^[0-9]{1,9}(ms|s|m|h|d)$' },
  name: { type: 'string', pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$' },
  optionalName: { type: 'string', pattern: '^([a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?)?$' },
  names: { type: 'array', items: { type: 'string', pattern: '^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$' } },
  pullPolicy: { type: 'string', enum: ['Always', 'IfNotPresent', 'Never'] },
  pullSecrets: list(closed({ name: text }, ['name'])),
  resources: closed({
    requests: { type: 'object', additionalProperties: quantity },
    limits: { type: 'object', additionalProperties: quantity },
  }),
  labelSelector: closed({ matchLabels: strings, matchExpressions: list(expression) }),
  tolerations: list(
    closed({
      key: text,
      operator: { type: 'string', enum: ['Exists', 'Equal', 'Lt', 'Gt'] },
      value: text,
      effect: { type: 'string', enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] },
      tolerationSeconds: { type: 'integer' },
    }),
  ),
  affinity: closed({
    nodeAffinity: closed({
      requiredDuringSchedulingIgnoredDuringExecution: closed({ nodeSelectorTerms: list(nodeTerm) }, [
        'nodeSelectorTerms',
      ]),
      preferredDuringSchedulingIgnoredDuringExecution: list(
        closed({ weight, preference: nodeTerm }, ['weight', 'preference']),
      ),
    }),
    podAffinity,
    podAntiAffinity: podAffinity,
  }),
}

/**
 * The guard's own schema, so that a mistake in a profile is found by `helm install`. A profile may be partial: the chart completes
 * it. `format` goes: what the guard's schema calls `starts_with` is nothing that Helm knows, and a pattern stands beside it.
 */
const guard = (): Readonly<Record<string, JsonSchema>> => {
  const file = new URL('../../proxy/config.schema.json', import.meta.url)
  const whole = JSON.parse(readFileSync(file, 'utf8'), (key, value: unknown) =>
    key === 'format' && typeof value === 'string' ? undefined : value,
  ) as JsonSchema
  const properties = whole.properties as Readonly<Record<string, JsonSchema>>
  return {
    guardConfiguration: closed(properties),
    guardIdentity: properties.identity ?? {},
  }
}

let known: Readonly<Record<string, JsonSchema>> | undefined

export const definition = (name: string): JsonSchema | undefined =>
  (known ??= { ...kubernetes, ...guard() })[name]
