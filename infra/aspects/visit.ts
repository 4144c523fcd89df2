import {
  Annotations,
  Aspects,
  DefaultTokenResolver,
  type IAspect,
  StringConcat,
  TerraformResource,
  TerraformStack,
  Tokenization,
} from 'cdktf'
import type { IConstruct } from 'constructs'

/** A resource as it will be written, and its neighbours. */
export interface Written {
  readonly type: string
  /** Terraform's names, tokens resolved. */
  readonly attributes: Attributes
  /** Attributes of the other resources of one type in the same stack that point at this one. */
  readonly companions: (type: string) => readonly Attributes[]
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
    if (!(node instanceof TerraformResource)) return
    const problem = rule(written(node))
    if (problem !== undefined) Annotations.of(node).addError(`${node.terraformResourceType}: ${problem}`)
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

const written = (node: TerraformResource): Written => ({
  type: node.terraformResourceType,
  attributes: attributesOf(node),
  companions: (type) =>
    TerraformStack.of(node)
      .node.findAll()
      .filter((other) => other instanceof TerraformResource)
      .filter((other) => other.terraformResourceType === type)
      .map(attributesOf)
      .filter((attributes) =>
        JSON.stringify(attributes).includes(`\${${node.terraformResourceType}.${node.friendlyUniqueId}.`),
      ),
})

const attributesOf = (node: TerraformResource): Attributes => {
  const resolved = Tokenization.resolve(node.toTerraform(), {
    scope: node,
    resolver: new DefaultTokenResolver(new StringConcat()),
    preparing: false,
  }) as { resource: Record<string, Record<string, Attributes>> }
  return resolved.resource[node.terraformResourceType]?.[node.friendlyUniqueId] ?? {}
}
