import {
  Annotations,
  Aspects,
  DefaultTokenResolver,
  type IAspect,
  StringConcat,
  TerraformDataSource,
  TerraformResource,
  TerraformStack,
  Tokenization,
} from 'cdktf'
import type { IConstruct } from 'constructs'

/** A resource or data source as it will be written, and its neighbours. */
export interface Written {
  /** Terraform's name of the type; that of a data source begins with `data.`. */
  readonly type: string
  /** Terraform's names, tokens resolved. */
  readonly attributes: Attributes
  /** Attributes of the other resources of one type in the same stack that point at this one, by the attribute named or by any. */
  readonly companions: (type: string, by?: string) => readonly Attributes[]
}

export interface Attributes {
  readonly [name: string]: unknown
}

/** What is wrong with a resource and what to do, or nothing. */
export type Rule = (resource: Written) => string | undefined

/**
 * An aspect that looks at every resource before anything is written. What a rule says becomes an error of that resource, and `synth()`
 * throws all errors of a stack together, each with the path of the resource.
 */
export const everyResource = (rule: Rule): IAspect => ({
  visit: (node) => {
    if (!(node instanceof TerraformResource || node instanceof TerraformDataSource)) return
    const resource = written(node)
    const problem = rule(resource)
    if (problem !== undefined) Annotations.of(node).addError(`${resource.type}: ${problem}`)
  },
})

/** One rule for each resource type; types without one are not looked at. */
export const byType =
  (rules: Readonly<Record<string, Rule>>): Rule =>
  (resource) =>
    Object.hasOwn(rules, resource.type) ? rules[resource.type]?.(resource) : undefined

export const addAspects = (scope: IConstruct, aspects: readonly IAspect[]): void => {
  for (const aspect of aspects) Aspects.of(scope).add(aspect)
}

const written = (node: Node): Written => ({
  type: `${node instanceof TerraformDataSource ? 'data.' : ''}${node.terraformResourceType}`,
  attributes: attributesOf(node),
  companions: (type, by) =>
    TerraformStack.of(node)
      .node.findAll()
      .filter((other) => other instanceof TerraformResource)
      .filter((other) => other.terraformResourceType === type)
      .map(attributesOf)
      .filter((attributes) =>
        JSON.stringify(by === undefined ? attributes : (attributes[by] ?? null)).includes(
          `\${${node.terraformResourceType}.${node.friendlyUniqueId}.`,
        ),
      ),
})

const attributesOf = (node: Node): Attributes => {
  const resolved = Tokenization.resolve(node.toTerraform(), {
    scope: node,
    resolver: new DefaultTokenResolver(new StringConcat()),
    preparing: false,
  }) as Partial<Record<'resource' | 'data', Record<string, Record<string, Attributes>>>>
  const kind = node instanceof TerraformDataSource ? resolved.data : resolved.resource
  return kind?.[node.terraformResourceType]?.[node.friendlyUniqueId] ?? {}
}

type Node = TerraformResource | TerraformDataSource
