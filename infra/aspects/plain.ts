import {
  Annotations,
  type IAspect,
  TerraformBackend,
  TerraformDataSource,
  TerraformElement,
  TerraformProvider,
  TerraformResource,
  TerraformStack,
} from 'cdktf'
import type { IConstruct } from 'constructs'
import { listed, settled, value } from './read.ts'
import { type Attributes, everyResource } from './visit.ts'

/** Backends that lock the state and encrypt it. */
const BACKENDS = new Set(['s3', 'gcs', 'azurerm'])

/** What Terraform does with a resource besides making it, and what to write instead. */
const HIDDEN = {
  count: 'write as many resources as you want; how many there are must be known before it is applied.',
  for_each: 'write a loop of TypeScript; what there is must be known before it is applied.',
  provisioner: 'take the provisioner away: it runs programs that nobody has looked at.',
  connection: 'take the connection away: nothing is run on machines.',
} as const

/** An aspect: the others look at what is written, so what is only known when it is applied, or written past them, is an error. */
export const plain: IAspect = {
  visit: (node) => {
    const problem = elementProblem(node)
    if (problem !== undefined) Annotations.of(node).addError(problem)
    resourceProblems.visit(node)
  },
}

const elementProblem = (node: IConstruct): string | undefined => {
  if (node instanceof TerraformStack)
    return overridden(node)
      ? 'it is overridden as a whole, which no aspect sees: use addOverride of the resource itself.'
      : undefined
  if (node instanceof TerraformBackend)
    return BACKENDS.has(backend(node))
      ? undefined
      : `state in the backend ${backend(node)} is not locked and encrypted: use S3Backend, GcsBackend or AzurermBackend.`
  if (!(node instanceof TerraformElement) || known(node)) return undefined
  return `${node.constructor.name}: only resources, data sources and providers can be looked at; write constants in TypeScript, and the resources of a module one by one.`
}

const backend = (node: TerraformBackend): string => String(Reflect.get(node, 'name'))

const known = (node: TerraformElement): boolean =>
  [TerraformResource, TerraformDataSource, TerraformProvider].some((type) => node instanceof type)

/** A stack's own overrides but for settings of its backend. */
const overridden = (stack: TerraformStack): boolean => {
  const { terraform, ...others } = (Reflect.get(stack, 'rawOverrides') ?? {}) as Attributes
  const settings = Object.keys((terraform ?? {}) as Attributes).filter((name) => name !== 'backend')
  return Object.keys(others).length + settings.length > 0
}

const resourceProblems = everyResource(({ attributes }) => {
  for (const [name, remedy] of Object.entries(HIDDEN))
    if (attributes[name] !== undefined && listed(attributes[name]).length > 0) return remedy
  if (listed(value(attributes, 'lifecycle', 'ignore_changes')).includes('all'))
    return 'name the attributes in ignore_changes: "all" keeps whatever somebody changes by hand.'
  if (dynamic(attributes))
    return 'write its blocks one by one: a dynamic block is not seen by the other aspects.'
  const expression = unsettled(attributes)
  return expression === undefined
    ? undefined
    : `write ${expression} out: only references to attributes of resources may be worked out when it is applied.`
})

/** Path of the first text with an expression of Terraform's in it. */
const unsettled = (found: unknown, path = ''): string | undefined => {
  if (typeof found === 'string') return settled(found.replaceAll('${path.module}', '')) ? undefined : path
  if (typeof found !== 'object' || found === null) return undefined
  return Object.entries(found)
    .filter(([name]) => name !== '//')
    .map(([name, inner]) => unsettled(inner, path === '' ? name : `${path}.${name}`))
    .find((problem) => problem !== undefined)
}

const dynamic = (found: unknown): boolean =>
  typeof found === 'object' &&
  found !== null &&
  Object.entries(found).some(
    ([name, inner]) => (name === 'dynamic' && typeof inner === 'object' && inner !== null) || dynamic(inner),
  )
