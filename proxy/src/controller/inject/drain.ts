import type { Container } from './objects.ts'

/**
 * The model gets SIGTERM first and the guard after it, so the model waits in its preStop hook while the guard lets running
 * answers end. A hook that the owner wrote stays.
 */
export const drainBeforeStop = (
  containers: readonly Container[],
  model: string,
  seconds: number,
): { readonly containers: readonly Container[]; readonly warnings: readonly string[] } => {
  const warnings: string[] = []
  const changed = containers.map((container) => {
    if (container.name !== model || seconds === 0) return container
    const own = container.lifecycle?.preStop
    if (!own) return { ...container, lifecycle: { ...container.lifecycle, preStop: { sleep: { seconds } } } }
    const sleep = own.sleep?.seconds
    if (sleep === undefined || sleep < seconds) {
      warnings.push(
        `Container ${model} has a preStop hook of its own, so running answers are cut when it ends; make it last ${seconds} seconds, or remove it.`,
      )
    }
    return container
  })
  return { containers: changed, warnings }
}
