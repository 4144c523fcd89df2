/** What of a record says something about its prompt. */
export interface Exchange {
  readonly id: string
  /** Milliseconds. */
  readonly at: number
  readonly subject: string
  readonly route: string
  readonly outcome: string
  readonly reasons: readonly string[]
  readonly findings: readonly {
    readonly direction: string
    readonly category: string
    readonly rule: string
    readonly action: string
    readonly evidence: readonly string[]
  }[]
  /** Of the request. */
  readonly texts: readonly { readonly length: number; readonly sha256: string }[]
}

export interface Anomaly {
  readonly kind:
    'kept-trying' | 'slipped-through' | 'hidden-text' | 'passed-on' | 'shared-text' | 'odd-length'
  /** The caller as identified; `nobody` when it was not. `several` for what concerns more than one. */
  readonly subject: string
  readonly ids: readonly string[]
  readonly says: string
}

const WINDOW_MS = 600_000
const ATTEMPTS = 5
/** Of modified z-scores; Iglewicz and Hoaglin recommend 3.5, which prompts, being of all lengths, exceed all day. */
const ODD = 10

/** Undefined for lines that are no exchange. Throws Error for an exchange that lacks what every record has. */
export const readExchange = (line: unknown): Exchange | undefined => {
  const record = line as Partial<Omit<Exchange, 'at' | 'subject' | 'texts'>> & {
    readonly type?: string
    readonly time?: string
    readonly caller?: { readonly subject: string } | null
    readonly texts?: readonly {
      readonly direction: string
      readonly length: number
      readonly sha256: string
    }[]
  }
  if (record.type !== 'exchange') return undefined
  const { id, time = '', route = '', outcome = '', reasons = [], findings = [], texts = [] } = record
  const at = Date.parse(time)
  if (id === undefined || Number.isNaN(at)) throw new Error('an exchange without id or time: no audit record')
  return {
    id,
    at,
    subject: record.caller?.subject ?? 'nobody',
    route,
    outcome,
    reasons,
    findings: findings.filter(({ direction }) => direction === 'request'),
    texts: texts
      .filter(({ direction }) => direction === 'request')
      .map(({ length, sha256 }) => ({ length, sha256 })),
  }
}

/** In the order of their kinds, then of callers. Exchanges may come in any order. */
export const anomaliesOf = (exchanges: readonly Exchange[]): readonly Anomaly[] => {
  const ordered = exchanges.toSorted((a, b) => a.at - b.at)
  const bySubject = [...Map.groupBy(ordered, ({ subject }) => subject)]
  return [
    ...bySubject.flatMap(([subject, own]) => keptTrying(subject, own)),
    ...bySubject.flatMap(([subject, own]) => slippedThrough(subject, own)),
    ...bySubject.flatMap(([subject, own]) => hiddenText(subject, own)),
    ...bySubject.flatMap(([subject, own]) => passedOn(subject, own)),
    ...sharedText(ordered),
    ...oddLength(ordered),
  ]
}

const wasContent = ({ reasons }: Exchange): boolean => reasons.includes('content_blocked')
const hasInjection = ({ findings }: Exchange): boolean =>
  findings.some(({ category }) => category === 'injection')
const idsOf = (exchanges: readonly Exchange[]): readonly string[] => exchanges.map(({ id }) => id)

const keptTrying = (subject: string, own: readonly Exchange[]): readonly Anomaly[] => {
  const refused = own.filter(wasContent)
  const dense = refused.some((one, at) => {
    const last = refused[at + ATTEMPTS - 1]
    return last !== undefined && last.at - one.at <= WINDOW_MS
  })
  return dense
    ? [
        {
          kind: 'kept-trying',
          subject,
          ids: idsOf(refused),
          says: `refused for content ${refused.length} times, ${ATTEMPTS} or more within ten minutes`,
        },
      ]
    : []
}

/** After a refusal for content, an exchange of the same caller that passed with a text nobody had seen before: what a person looks at first. */
const slippedThrough = (subject: string, own: readonly Exchange[]): readonly Anomaly[] => {
  const seen = new Set<string>()
  const passed: Exchange[] = []
  let refusals: readonly number[] = []
  for (const exchange of own) {
    if (wasContent(exchange)) refusals = [...refusals, exchange.at].slice(-2)
    else {
      const [first = -Infinity] = refusals
      const isNew = exchange.texts.some(({ sha256 }) => !seen.has(sha256))
      if (
        refusals.length === 2 &&
        exchange.at - first <= WINDOW_MS &&
        exchange.outcome === 'allowed' &&
        isNew
      )
        passed.push(exchange)
    }
    for (const { sha256 } of exchange.texts) seen.add(sha256)
  }
  return passed.length === 0
    ? []
    : [
        {
          kind: 'slipped-through',
          subject,
          ids: idsOf(passed),
          says: 'allowed within ten minutes of two refusals for content',
        },
      ]
}

const hiddenText = (subject: string, own: readonly Exchange[]): readonly Anomaly[] => {
  const isHidden = ({ findings }: Exchange): boolean =>
    findings.some(
      ({ category, evidence }) =>
        category === 'invisible_text' || evidence.some((code) => code.startsWith('decoded:')),
    )
  const hidden = own.filter(isHidden)
  return hidden.length === 0
    ? []
    : [
        {
          kind: 'hidden-text',
          subject,
          ids: idsOf(hidden),
          says: 'text that was invisible, or found only after decoding',
        },
      ]
}

const passedOn = (subject: string, own: readonly Exchange[]): readonly Anomaly[] => {
  const passed = own.filter((one) => hasInjection(one) && !wasContent(one) && one.outcome !== 'refused')
  return passed.length === 0
    ? []
    : [
        {
          kind: 'passed-on',
          subject,
          ids: idsOf(passed),
          says: 'injection found below the score that blocks, and passed on',
        },
      ]
}

const sharedText = (all: readonly Exchange[]): readonly Anomaly[] => {
  const senders = new Map<string, Exchange[]>()
  for (const exchange of all.filter(hasInjection))
    for (const { sha256 } of exchange.texts) senders.set(sha256, [...(senders.get(sha256) ?? []), exchange])
  return [...senders.values()]
    .map((sent) => ({ sent, callers: new Set(sent.map(({ subject }) => subject)) }))
    .filter(({ callers }) => callers.size > 1)
    .map(({ sent, callers }) => ({
      kind: 'shared-text',
      subject: 'several',
      ids: idsOf(sent),
      says: `the same text with a finding from ${callers.size} callers: ${[...callers].slice(0, 5).join(', ')}`,
    }))
}

/** Lengths far above the median of their route, by the median of absolute deviations: unlike the mean it is not moved by what it looks for. */
const oddLength = (all: readonly Exchange[]): readonly Anomaly[] =>
  [...Map.groupBy(all, ({ route }) => route).values()].flatMap((own) => {
    const longest = own.map(({ texts }) => Math.max(0, ...texts.map(({ length }) => length)))
    const middle = median(longest)
    const spread = Math.max(1, median(longest.map((length) => Math.abs(length - middle))))
    const odd = own.filter((_, at) => (0.6745 * ((longest[at] ?? 0) - middle)) / spread > ODD)
    return [...Map.groupBy(odd, ({ subject }) => subject)].map(([subject, ones]): Anomaly => ({
      kind: 'odd-length',
      subject,
      ids: idsOf(ones),
      says: `texts far longer than the median of ${middle} characters on this route`,
    }))
  })

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
