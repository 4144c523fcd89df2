import { type IAspect, TerraformResource } from 'cdktf'
import type { Tags } from '../environment.ts'
import { given, value } from './read.ts'
import { everyResource } from './visit.ts'

/** Every resource that can say whose it is must say so with these. */
const REQUIRED = ['project', 'environment', 'owner', 'cost-center'] as const satisfies readonly (keyof Tags)[]

/** What each cloud calls tags: as the bindings name it, and as Terraform does. Kubernetes and Helm have labels for other uses. */
const ATTRIBUTES: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  aws: [['tags', 'tags']],
  google: [
    ['resourceLabels', 'resource_labels'],
    ['labels', 'labels'],
  ],
  azurerm: [['tags', 'tags']],
}

/** An aspect that puts the environment's tags on everything that takes tags, under those the resource has. */
export const tagged = (tags: Tags): IAspect => ({
  visit: (node) => {
    const attribute = taggable(node)
    if (attribute === undefined) return
    const resource = node as unknown as Record<string, Readonly<Record<string, string>> | undefined>
    resource[attribute[0]] = { ...tags, ...resource[`${attribute[0]}Input`] }
  },
})

/** An aspect: a resource that takes tags and lacks one that is required is an error. */
export const requireTags: IAspect = {
  visit: (node) => {
    const attribute = taggable(node)
    if (attribute === undefined) return
    everyResource(({ attributes }) => {
      const missing = REQUIRED.filter((tag) => !given(value(attributes, attribute[1], tag)))
      return missing.length === 0
        ? undefined
        : `add ${missing.join(', ')} to ${attribute[1]}; \`tagged\` of aspects/tags.ts does it for a whole stack.`
    }).visit(node)
  },
}

const taggable = (node: unknown): readonly [string, string] | undefined => {
  if (!(node instanceof TerraformResource)) return undefined
  const [cloud = ''] = node.terraformResourceType.split('_')
  return ATTRIBUTES[cloud]?.find(([name]) => settable(node, name))
}

/** Some only show the tags of others. */
const settable = (node: TerraformResource, name: string): boolean =>
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(node), name)?.set !== undefined
