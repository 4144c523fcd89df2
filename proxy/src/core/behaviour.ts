import type { AuditRecord } from './audit.ts'
import type { TokenLogprob } from './dialect.ts'
import type { EntropyStats, Flag } from './flag.ts'
import type { Json } from './json.ts'

/** A guess from script and common words, not more. `und`: too short, mixed or unknown. */
export type Language =
  | 'ar'
  | 'bn'
  | 'cs'
  | 'da'
  | 'de'
  | 'el'
  | 'en'
  | 'es'
  | 'fa'
  | 'fi'
  | 'fr'
  | 'he'
  | 'hi'
  | 'hu'
  | 'id'
  | 'it'
  | 'ja'
  | 'ko'
  | 'nl'
  | 'pl'
  | 'pt'
  | 'ro'
  | 'ru'
  | 'sv'
  | 'ta'
  | 'th'
  | 'tr'
  | 'uk'
  | 'vi'
  | 'zh'
  | 'und'

/** A tool that the model called: names only, never values. */
export interface CalledTool {
  readonly name: string
  /** Top-level argument names. */
  readonly arguments: readonly string[]
}

/** What the answer looked like; made while it passes, see AnswerSample. */
export interface AnswerFacts {
  /** Of the answer's content, in UTF-16 units; 0 when it said nothing. */
  readonly characters: number
  /** Undefined when the model server gave no probabilities. */
  readonly entropy: EntropyStats | undefined
  readonly language: Language
  /** The model itself says no, in words that are known; approximate. */
  readonly declined: boolean
  readonly called: readonly CalledTool[]
}

/** One exchange as plain values. Strings may come from a caller: none becomes a label unless it is declared. */
export interface ExchangeFacts {
  /** Milliseconds of a clock that does not go back. */
  readonly at: number
  readonly model: string
  readonly tenant: string
  /** Subject as verified; empty when nobody was identified. */
  readonly caller: string
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
  /** Address of the peer of the connection. */
  readonly client: string
  readonly outcome: AuditRecord['outcome']
  /** Rule names, as in the audit record; doubled ones count once. */
  readonly rules: readonly string[]
  /** Names of the tools that the request offered. */
  readonly offered: readonly string[]
  /** Undefined when no answer of the model was read. */
  readonly answer: AnswerFacts | undefined
}

/** Gathers AnswerFacts while an answer passes, whole or in pieces; bounded however long it is. Never throws. */
export interface AnswerSample {
  /** A piece of the content of one choice, in order. */
  text(piece: string, choice: number): void
  tokens(tokens: readonly TokenLogprob[]): void
  tool(name: string, argumentNames: readonly string[]): void
  facts(): AnswerFacts
}

/** Watches how models and callers behave. Never throws, never waits; memory is bounded whatever is seen. */
export interface Behaviour {
  /** Called once per exchange, by its record. */
  seen(facts: ExchangeFacts): readonly Flag[]
  sample(): AnswerSample
  /** All that was learned, as a baseline file holds it. */
  snapshot(): Json
  /** Takes the clock of `seen`: closes windows of models that get little traffic, and sets the gauges. */
  tick(at: number): void
  /** Per model and tenant: what the last windows were like, for a page. */
  report(): BehaviourReport
  close(): void
}

/** What a page shows of how models behave. Names are declared ones, or `other`. */
export interface BehaviourReport {
  /** When the baseline was frozen; undefined without one. */
  readonly baseline: string | undefined
  readonly models: readonly ModelReport[]
  readonly groups: readonly GroupReport[]
  /** Since the start. */
  readonly flags: Readonly<Partial<Record<Flag, number>>>
}

export interface ModelReport {
  readonly model: string
  readonly tenant: string
  readonly exchanges: number
  readonly answers: number
  /** Shares of 0 to 1. */
  readonly refused: number
  readonly declined: number
  /** Mean bits a token; undefined when no answer had probabilities. */
  readonly entropy: number | undefined
  /** Of the last closed window; empty without a baseline. */
  readonly drifts: readonly {
    readonly feature: string
    readonly psi: number
    readonly verdict: 'stable' | 'moderate' | 'shifted'
  }[]
}

export interface GroupReport {
  readonly dimension: string
  readonly group: string
  readonly outcome: string
  readonly ratio: number
  readonly pValue: number
  readonly adverse: boolean
}

const NO_FACTS: AnswerFacts = {
  characters: 0,
  entropy: undefined,
  language: 'und',
  declined: false,
  called: [],
}

export const noBehaviour: Behaviour = {
  seen: () => [],
  sample: () => ({
    text: () => undefined,
    tokens: () => undefined,
    tool: () => undefined,
    facts: () => NO_FACTS,
  }),
  snapshot: () => null,
  tick: () => undefined,
  report: () => ({ baseline: undefined, models: [], groups: [], flags: {} }),
  close: () => undefined,
}
