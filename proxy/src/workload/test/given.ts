import type { Log } from '../../core/log.ts'
import type { Meter } from '../../core/metrics.ts'

export interface Given {
  readonly meter: Meter
  readonly log: Log
  readonly events: [string, string][]
  /** How often an event was logged. */
  count(event: string): number
  gauge(): number | undefined
  until(holds: () => boolean): Promise<void>
}

export const given = (): Given => {
  const events: [string, string][] = []
  let gauge: number | undefined
  const note: Log['info'] = (event, fields) =>
    void events.push([event, fields?.['cause'] instanceof Error ? fields['cause'].message : ''])
  return {
    meter: { add: () => undefined, observe: () => undefined, set: (_name, value) => void (gauge = value) },
    log: { info: note, warn: note, error: note },
    events,
    count: (event) => events.filter(([name]) => name === event).length,
    gauge: () => gauge,
    until: async (holds) => {
      for (let tries = 0; !holds(); tries++) {
        if (tries > 1500) throw new Error(`did not come to pass: ${JSON.stringify(events.slice(-5))}`)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
  }
}
