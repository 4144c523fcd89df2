import { parseAllDocuments } from 'yaml'
import { blocks, listed } from './read.ts'
import type { Attributes, Rule } from './visit.ts'

/** Kinds of Services, and of objects, that are reached from outside the cluster. */
const TYPES = new Set(['LoadBalancer', 'NodePort'])
const KINDS = new Set([
  'Ingress',
  'Gateway',
  'HTTPRoute',
  'GRPCRoute',
  'TCPRoute',
  'TLSRoute',
  'IngressRoute',
])
/** Names of values under which charts keep what makes one. */
const DOORS = new Set(['ingress', 'ingresses', 'route', 'httproute', 'gatewayapi'])
/** Attributes of a release that change what is installed and that nothing here can read. */
const UNREAD = ['set_list', 'set_sensitive', 'set_wo', 'postrender'] as const

/** A release whose values can be read, and open nothing to the outside. */
export const closedChart: Rule = ({ attributes }) => {
  const unread = UNREAD.find((name) => listed(attributes[name]).length > 0)
  if (unread !== undefined) return `write what ${unread} says into values, where it can be looked at.`
  const texts = listed(attributes.values).map(String)
  const sets = blocks(attributes, 'set')
  if ([...texts, ...sets.map((each) => String(each.value))].some(computed))
    return 'write its values out: what Terraform works out when it is applied cannot be looked at.'
  const documents = texts.flatMap((text) => parseAllDocuments(text) as Parsed[])
  if (documents.some(({ errors }) => errors.length > 0)) return 'its values are no YAML that all read alike.'
  const [door] = [...documents.flatMap((document) => doors(document.toJS())), ...sets.flatMap(setDoors)]
  return door === undefined
    ? undefined
    : `its value ${door} opens the cluster; put a gateway of your own in front.`
}

/** Terraform's own expressions but for plain references: `$${` is text. */
const computed = (text: string): boolean =>
  /[$%]\{/.test(
    text
      .replaceAll(/\$\$\{|%%\{/g, '')
      .replaceAll(/\$\{(data\.)?[a-z][a-z0-9]*_\w+\.[A-Za-z][\w-]*\.[a-z_]+(\[\d+\]|\.[a-z_]+)*\}/g, ''),
  )

interface Parsed {
  readonly errors: readonly unknown[]
  readonly toJS: () => unknown
}

/** Paths of values that make a Service of a kind that is reached from outside, an Ingress, or a route. */
const doors = (found: unknown, path: readonly string[] = []): string[] => {
  if (typeof found === 'string') return TYPES.has(found) || opensAsText(found) ? [path.join('.')] : []
  if (typeof found !== 'object' || found === null) return []
  return Object.entries(found).flatMap(([key, inner]: [string, unknown]) => {
    const here = [...path, key]
    if (key === 'kind' && KINDS.has(String(inner))) return [here.join('.')]
    if (DOORS.has(key.toLowerCase()) && enabled(inner)) return [`${here.join('.')}.enabled`]
    if ((key === 'hostNetwork' && inner === true) || (key === 'externalIPs' && listed(inner).length > 0))
      return [here.join('.')]
    return doors(inner, here)
  })
}

const enabled = (found: unknown): boolean =>
  typeof found === 'object' && found !== null && String((found as Attributes).enabled) === 'true'

/** Manifests that charts take as one text. */
const opensAsText = (text: string): boolean =>
  /^\s*["']?kind["']?:\s*["']?(Ingress|Gateway|HTTPRoute|GRPCRoute|TCPRoute|TLSRoute|IngressRoute)\b/m.test(
    text,
  ) || /^\s*["']?type["']?:\s*["']?(LoadBalancer|NodePort)\b/m.test(text)

const setDoors = (each: Attributes): string[] => {
  const [path, found] = [String(each.name), String(each.value)]
  return TYPES.has(found) ||
    (/(^|\.)kind$/.test(path) && KINDS.has(found)) ||
    (/(^|\.)(ingress|route|httpRoute)\.enabled$/.test(path) && found === 'true') ||
    (/(^|\.)hostNetwork$/.test(path) && found === 'true')
    ? [path]
    : []
}
