/** One line of the table. `skipped` names what was missing: nothing is skipped silently. */
export interface Outcome {
  readonly step: string
  readonly result: 'passed' | 'failed' | 'skipped'
  readonly detail: string
  readonly ms: number
}

export type Check = () => Promise<Told>

export interface Told {
  readonly result: Outcome['result']
  readonly detail: string
}

export const passed = (detail: string): Told => ({ result: 'passed', detail })
export const failed = (detail: string): Told => ({ result: 'failed', detail })
export const skipped = (detail: string): Told => ({ result: 'skipped', detail })

/** A check that throws has failed, with the message as its reason. */
export const timed = async (step: string, check: Check): Promise<Outcome> => {
  const started = performance.now()
  const told = await check().catch((error: unknown) =>
    failed(error instanceof Error ? error.message : 'failed'),
  )
  return { step, ...told, ms: Math.round(performance.now() - started) }
}

/** The table that the log of a CI run ends with. */
export const table = (outcomes: readonly Outcome[]): string => {
  const width = Math.max(...outcomes.map(({ step }) => step.length)) + 2
  const lines = outcomes.map(
    ({ step, result, detail, ms }) =>
      `${step.padEnd(width)}${result.padEnd(9)}${`${(ms / 1000).toFixed(1)} s`.padStart(8)}  ${detail}`,
  )
  return `${lines.join('\n')}\n`
}
