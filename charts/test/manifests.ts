import type { Manifest } from './helm.ts'

/** The object of that kind and name; throws when there is none, or more than one. */
export const find = (manifests: readonly Manifest[], kind: string, name: string): Manifest => {
  const found = manifests.filter((manifest) => manifest.kind === kind && manifest.metadata.name === name)
  const [first] = found
  if (first === undefined || found.length > 1)
    throw new Error(`${found.length} objects are called ${kind} ${name}`)
  return first
}

/** What stands at a dotted path, such as `spec.template.spec.containers.0.image`; undefined where there is nothing. */
export const pick = (from: unknown, path: string): unknown =>
  path
    .split('.')
    .reduce<unknown>((at, step) => (at as Record<string, unknown> | null | undefined)?.[step], from)

/** The template of every pod that a manifest makes, with its metadata. */
export const podTemplates = (
  manifests: readonly Manifest[],
): readonly { readonly of: Manifest; readonly pod: Manifest }[] =>
  manifests.flatMap((of) => {
    const pod =
      of.kind === 'Pod' ? of : (pick(of, 'spec.jobTemplate.spec.template') ?? pick(of, 'spec.template'))
    return pick(pod, 'spec.containers') === undefined ? [] : [{ of, pod: pod as Manifest }]
  })

/** `kind/name`, sorted. */
export const names = (manifests: readonly Manifest[]): readonly string[] =>
  manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()
