import type { Manifest } from './helm.ts'
import { pick } from './manifests.ts'
import { podProblems } from './pod-security.ts'

interface Container {
  readonly name: string
  readonly image?: string
  readonly restartPolicy?: string
  readonly ports?: readonly unknown[]
  readonly resources?: unknown
}

/**
 * What the rules that clusters usually take from Gatekeeper's library would refuse in a pod, besides Pod Security `restricted`:
 * disallowed tags, container limits and requests, required probes, automounted tokens, read-only root. Limits mean memory: a limit
 * of CPU slows every token down, and Kubernetes' own advice is to leave it out. Probes are asked of what serves, which has a port.
 * Source: open-policy-agent.github.io/gatekeeper-library.
 */
export const gatekeeperProblems = (
  pod: unknown,
  only: (name: string) => boolean = () => true,
): readonly string[] => [
  ...podProblems(pod).filter((problem) => concerns(problem, pod, only)),
  ...lasting(pod)
    .concat(passing(pod))
    .filter(({ name }) => only(name))
    .flatMap(containerProblems),
  ...lasting(pod)
    .filter(({ name }) => only(name))
    .flatMap(probeProblems),
]

/** Objects that lack one of the labels by which an organisation knows whose they are. */
export const withoutLabels = (
  manifests: readonly Manifest[],
  wanted: Readonly<Record<string, string>>,
): readonly string[] =>
  manifests.flatMap((manifest) => {
    const lacks = (labels: unknown): boolean =>
      Object.entries(wanted).some(
        ([key, value]) => (labels as Record<string, string> | undefined)?.[key] !== value,
      )
    const { kind, metadata } = manifest
    const pod = pick(manifest, 'spec.template.metadata')
    return [
      ...(lacks(metadata.labels) ? [`${kind}/${metadata.name}`] : []),
      ...(pod !== undefined &&
      pick(manifest, 'spec.template.spec') !== undefined &&
      lacks(pick(pod, 'labels'))
        ? [`pods of ${kind}/${metadata.name}`]
        : []),
    ]
  })

/** Bindings that give something to everybody, and roles with a wildcard. */
export const rbacProblems = (manifests: readonly Manifest[]): readonly string[] =>
  manifests.flatMap((manifest) => {
    const subjects = (pick(manifest, 'subjects') ?? []) as readonly { readonly name: string }[]
    const rules = JSON.stringify(pick(manifest, 'rules') ?? [])
    const all = subjects.filter(({ name }) =>
      /^system:(anonymous|unauthenticated|authenticated|serviceaccounts)$/.test(name),
    )
    return [
      ...all.map(({ name }) => `${manifest.kind}/${manifest.metadata.name} is for ${name}`),
      ...(/Role$/.test(manifest.kind) && rules.includes('"*"')
        ? [`${manifest.kind}/${manifest.metadata.name} has *`]
        : []),
    ]
  })

/** A problem of a container that was not asked about is somebody else's. */
const concerns = (problem: string, pod: unknown, only: (name: string) => boolean): boolean => {
  const container = [...lasting(pod), ...passing(pod)].find(({ name }) => problem.startsWith(`${name} `))
  return container === undefined ? only('') : only(container.name)
}

const lasting = (pod: unknown): readonly Container[] => [
  ...inits(pod).filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ...((pick(pod, 'spec.containers') ?? []) as readonly Container[]),
]

const passing = (pod: unknown): readonly Container[] =>
  inits(pod).filter(({ restartPolicy }) => restartPolicy !== 'Always')

const inits = (pod: unknown): readonly Container[] =>
  (pick(pod, 'spec.initContainers') ?? []) as readonly Container[]

const containerProblems = (container: Container): readonly string[] =>
  problems(container.name, {
    'has an image that moves': /:latest$|^(?:[^@:]|:\d+\/)+$/.test(container.image ?? ''),
    'requests no CPU': pick(container, 'resources.requests.cpu') === undefined,
    'requests no memory': pick(container, 'resources.requests.memory') === undefined,
  })

const probeProblems = (container: Container): readonly string[] =>
  problems(
    container.name,
    Object.fromEntries(
      ['readinessProbe', 'livenessProbe'].map((probe) => [
        `has no ${probe}`,
        (container.ports ?? []).length > 0 && pick(container, probe) === undefined,
      ]),
    ),
  )

const problems = (name: string, found: Readonly<Record<string, boolean>>): readonly string[] =>
  Object.entries(found)
    .filter(([, wrong]) => wrong)
    .map(([problem]) => `${name} ${problem}`)
