import { randomUUID } from 'node:crypto'
import type { AuditRecord } from '../core/audit.ts'
import type { CallerName, Order } from '../core/orders.ts'
import type { Priority } from './falco.ts'

/** What falcosidekick takes at its `/`, and Falco writes with `json_output`. */
export interface FalcoOut {
  readonly uuid: string
  readonly output: string
  readonly priority: string
  readonly rule: string
  /** RFC 3339, UTC. */
  readonly time: string
  readonly output_fields: Readonly<Record<string, string>>
  readonly source: 'postern'
  readonly tags: readonly string[]
  readonly hostname: string
}

/** Where the guard runs. */
export interface Here {
  readonly hostname: string
  /** Empty outside Kubernetes. */
  readonly namespace: string
  readonly pod: string
}

/** Rule names of the events that guards send; rules of Falco's users match them. */
export const OUT_RULES = {
  injection: 'Postern prompt injection blocked',
  secret: 'Postern secret in model answer',
  rate: 'Postern caller refused too often',
  response: 'Postern response',
} as const

interface Told {
  readonly rule: string
  readonly priority: Priority
  readonly output: string
  readonly tags: readonly string[]
  readonly fields: Readonly<Record<string, string>>
}

/** Without any text of an exchange: names, ids and codes only. */
export const falcoOut = ({ hostname, namespace, pod }: Here, told: Told): FalcoOut => ({
  uuid: randomUUID(),
  output: told.output,
  priority: `${told.priority.slice(0, 1).toUpperCase()}${told.priority.slice(1)}`,
  rule: told.rule,
  time: new Date().toISOString(),
  output_fields: {
    ...(namespace !== '' && { 'k8s.ns.name': namespace }),
    ...(pod !== '' && { 'k8s.pod.name': pod }),
    ...told.fields,
  },
  source: 'postern',
  tags: ['postern', ...told.tags],
  hostname,
})

/** What a security team wants to hear of one exchange; mostly nothing. */
export const toldOf = (record: AuditRecord): readonly Told[] => {
  const told: Told[] = []
  const found = (direction: 'request' | 'response', category: string, acted: readonly string[]) =>
    record.findings.filter(
      (one) => one.direction === direction && one.category === category && acted.includes(one.action),
    )
  const about = (rules: readonly { readonly rule: string }[]) => ({
    ...(record.caller && callerFields(record.caller)),
    'postern.id': record.id,
    'postern.route': record.route,
    'postern.client': record.client,
    'postern.rules': [...new Set(rules.map(({ rule }) => rule))].slice(0, 8).join(','),
  })
  const injections = found('request', 'injection', ['block'])
  if (record.outcome === 'refused' && injections.length > 0)
    told.push({
      rule: OUT_RULES.injection,
      priority: 'warning',
      output: 'A prompt injection was blocked',
      tags: ['prompt_injection', 'OWASP_LLM01'],
      fields: about(injections),
    })
  const secrets = found('response', 'secret', ['redact', 'block'])
  if (secrets.length > 0)
    told.push({
      rule: OUT_RULES.secret,
      priority: 'error',
      output: 'A secret in an answer of the model was held back',
      tags: ['data_leak', 'OWASP_LLM02'],
      fields: about(secrets),
    })
  return told
}

export const toldOfRate = (caller: CallerName, refusals: number): Told => ({
  rule: OUT_RULES.rate,
  priority: 'critical',
  output: 'A caller was refused too often within a minute',
  tags: ['abuse'],
  fields: { ...callerFields(caller), 'postern.refusals': String(refusals) },
})

export const toldOfOrder = ({ id, target, by }: Order, step: string): Told => ({
  rule: OUT_RULES.response,
  priority: step === 'began' ? 'critical' : 'notice',
  output: `A response ${step}: ${target.kind}`,
  tags: ['response', target.kind],
  fields: {
    ...(target.kind === 'revoke' && callerFields(target.caller)),
    ...(target.kind === 'tighten' && { 'postern.overlay': target.overlay }),
    // Not k8s.pod.name: that is the pod which tells.
    ...(target.kind === 'quarantine' && {
      'postern.namespace': target.pod.namespace,
      'postern.pod': target.pod.name,
    }),
    'postern.order': id,
    'postern.step': step,
    'postern.by': by,
  },
})

const callerFields = ({ subject, tenant, via }: CallerName) => ({
  'postern.subject': subject,
  'postern.tenant': tenant,
  'postern.via': via,
})
