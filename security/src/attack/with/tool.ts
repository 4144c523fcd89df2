import type { Attempt, Verdict } from '../attempt.ts'
import type { Endpoint } from '../client.ts'

/** One thing a foreign tool tried, in our words. */
export interface ForeignAttempt {
  readonly family: string
  readonly mutator: string
  readonly verdict: Verdict
}

export interface Started {
  /** Program and arguments; `report` is where the tool writes. */
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** A foreign red-team tool: how it is had, started and understood. */
export interface Tool {
  /** Name of its package, and the version that the configuration here was tried with. */
  readonly pin: { readonly name: string; readonly version: string }
  /** What to type to have it in `folder`; `config` has the pinned requirements. */
  readonly install: (folder: string, config: string) => string
  /** Exit codes of a run that came to its end. */
  readonly fine: readonly number[]
  /** Relative to the tool's folder; it is installed when this is there. */
  readonly program: string
  /** `report` is an empty path below `work`; the parser gets what was written there. */
  readonly start: (places: Places, endpoint: Endpoint) => Started
  readonly reportFile: (work: string) => string
  /** Undone reports are read as far as they go, where the tool writes them line by line. */
  readonly parse: (report: string) => readonly ForeignAttempt[]
  /** It has no word for a request that failed and calls it blocked: what the relay saw fail is then taken from that. */
  readonly hidesFailures: boolean
}

export interface Places {
  /** Where the tool is installed. */
  readonly folder: string
  /** Its folder under security/third-party. */
  readonly config: string
  /** An empty folder of this run. */
  readonly work: string
  /** How long the target took for one harmless question. */
  readonly answersInMs: number
}

/** A foreign attempt as the store counts it. Its text stays in the tool's own report. */
export const asAttempt = ({ family, mutator, verdict }: ForeignAttempt, at: number): Attempt => ({
  attack: {
    id: `foreign-${at}`,
    // A label of metrics and a row of the report: not whatever a configuration says.
    family: (/^[a-z_]{1,40}$/.test(family) ? family : 'other') as Attempt['attack']['family'],
    seed: 'foreign',
    mutators: mutator === 'plain' ? [] : [mutator.slice(0, 60)],
    messages: [],
    tools: false,
  },
  verdict,
  score: verdict === 'succeeded' ? 1 : 0,
  status: 0,
  rules: [],
  ms: 0,
})

/** What our wrappers tell the configuration of a tool, in the environment: a key must not stand in a list of processes. */
export const toolEnv = ({ url, model, key }: Endpoint): Readonly<Record<string, string>> => ({
  POSTERN_TARGET: baseOf(url),
  POSTERN_MODEL: model,
  POSTERN_KEY: key ?? 'none',
})

/** The address with `/v1`, as the clients of OpenAI want it. */
const baseOf = (url: string): string => {
  const bare = url.replace(/\/+$/, '')
  return /\/v\d+$/.test(bare) ? bare : `${bare}/v1`
}
