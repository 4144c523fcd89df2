import { isRefusalCode, refusals } from '../core/refusal.ts'
import type { Explanation } from './explain.ts'
import { placeOf } from './places.ts'
import type { Proof } from './proof.ts'
import type { ExchangeLine } from './schema.ts'
import { tellUnusual } from './tell-unusual.ts'
import { tellWouldHave } from './tell-would-have.ts'

/** A heading, and what stands under it. */
export interface Section {
  readonly title: string
  readonly lines: readonly string[]
}

/** The explanation in plain English. Everything in it is from the record, which holds no content. */
export const tell = (explanation: Explanation): readonly Section[] => {
  const { record } = explanation
  return [
    ...(record === undefined ? unfinished(explanation) : sections(explanation, record)),
    { title: 'The record', lines: recordLines(explanation) },
  ]
}

const unfinished = ({ lost }: Explanation): readonly Section[] => [
  {
    title: 'What happened',
    lines: [
      lost
        ? 'The exchange began, and the guard was killed or could not write before it ended. Whether the client got an answer is not known.'
        : 'The exchange began and has not ended: it is running, or the guard was killed just now.',
    ],
  },
]

const sections = (explanation: Explanation, record: ExchangeLine): readonly Section[] => [
  { title: 'Who', lines: who(record) },
  { title: 'What was asked', lines: asked(record, explanation.begun !== undefined) },
  { title: 'What was found', lines: found(record) },
  ...about('Tools, and what was unusual', tellUnusual(record)),
  { title: 'What was decided', lines: decided(record) },
  { title: 'What the client saw', lines: seen(record) },
  { title: 'What would have changed it', lines: tellWouldHave(explanation.wouldHave, record) },
]

const about = (title: string, lines: readonly string[]): readonly Section[] =>
  lines.length === 0 ? [] : [{ title, lines }]

const who = ({ caller, client, time }: ExchangeLine): readonly string[] => {
  const when = `On ${time.slice(0, 10)} at ${time.slice(11, 23)} UTC`
  if (caller === null) return [`${when}, a client at ${client}, who was not identified.`]
  const roles = caller.roles.length === 0 ? 'without a role' : `with the roles ${caller.roles.join(', ')}`
  return [
    `${when}, ${caller.subject} of tenant ${caller.tenant || '(none)'}, ${roles}, at ${client}.`,
    `Identified by ${caller.via}.`,
  ]
}

const asked = (record: ExchangeLine, begun: boolean): readonly string[] => {
  const { model, route, stream, upstream, answered, served, texts, uninspected, tokens } = record
  const how = stream === undefined ? '' : stream ? ', as a stream' : ', as a whole answer'
  const count = texts.filter(({ direction }) => direction === 'request').length
  const more = record.texts_omitted === undefined ? '' : ' or more'
  return [
    model === '' ? `Route ${route || '(unknown)'}.` : `Model ${model}, by ${route}${how}.`,
    ...(count > 0 ? [`${plural(count, 'text')}${more} of the request inspected.`] : []),
    ...(uninspected > 0
      ? [`${plural(uninspected, 'part')} passed on without inspection, as configured.`]
      : []),
    upstream !== ''
      ? `Answered by ${upstream}${answered ? ` with ${answered}` : ''}${tokens ? `: ${tokens.input} tokens in, ${tokens.output} out` : ''}.`
      : begun
        ? 'The model was called; no answer of it arrived.'
        : 'The model was not called.',
    ...(served === undefined
      ? []
      : [
          `Version ${served.version} of ${served.name}${served.signer ? `, signed by ${served.signer}` : ', not signed'}${served.digest ? `, SHA-256 ${served.digest}` : ''}.`,
        ]),
  ]
}

const ACTED = { ignore: 'ignored', observe: 'noted only', redact: 'replaced', block: 'blocked' } as const

const found = (record: ExchangeLine): readonly string[] => {
  const { findings } = record
  if (findings.length === 0) return ['Nothing.']
  const lines = findings.map((finding, i) => {
    const { direction, path, rule, category, start, end, score, threshold, evidence = [], action } = finding
    const where = `${placeOf(path)} of the ${direction === 'request' ? 'request' : 'answer'}`
    const plain = where.startsWith('the answer') || where.startsWith('answer') ? placeOf(path) : where
    const kind = category === undefined ? '' : `${category.replaceAll('_', ' ')}, `
    const why = evidence.length === 0 ? '' : `, ${evidence.join(' and ')}`
    return `${i + 1}. ${rule} (${kind}score ${score}${threshold === undefined ? '' : ` at a threshold of ${threshold}`}${why}) in ${plain}, characters ${start + 1} to ${end}: ${ACTED[action]}.`
  })
  const { findings_omitted: omitted } = record
  return omitted === undefined ? lines : [...lines, `And ${omitted} more, which the record only counts.`]
}

const STAGES = {
  request: 'the request',
  response: 'the answer',
  tool_call: 'a tool call',
  model: 'the model',
} as const

const decided = (record: ExchangeLine): readonly string[] => {
  const { decisions = [], policy, findings } = record
  const lines = decisions.map((decision) => {
    const { stage, allow, reasons, revision, times } = decision
    const how = times > 1 ? `, ${times} times in a row` : ''
    const because = reasons.length === 0 ? '' : `, for ${reasons.join(', ')}`
    return `Policy ${revision} ${allow ? 'allowed' : 'denied'} ${STAGES[stage]}${because}${how}${conditions(decision)}.`
  })
  const rows = findings.flatMap((finding, i) => rowOf(finding, i + 1))
  const older = policy.revision === '' ? 'Policy was not asked.' : `Policy ${policy.revision} was asked last.`
  return [...(lines.length > 0 ? lines : [older]), ...rows]
}

const conditions = ({
  max_tokens: most,
  model,
  tools_removed: tools,
}: NonNullable<ExchangeLine['decisions']>[number]): string => {
  const said = [
    ...(most === undefined ? [] : [`an answer of at most ${most} tokens`]),
    ...(model === undefined ? [] : [`model ${model} instead`]),
    ...(tools === undefined ? [] : [`${plural(tools, 'tool')} taken out`]),
  ]
  return said.length === 0 ? '' : `; with ${said.join(', ')}`
}

const rowOf = (finding: ExchangeLine['findings'][number], number: number): readonly string[] => {
  const { by, action, rule, category } = finding
  switch (by) {
    case 'rule':
      return [`Finding ${number}: ${action}, as policy says of rule ${rule}.`]
    case 'category':
      return [`Finding ${number}: ${action}, as policy says of all ${(category ?? '').replaceAll('_', ' ')}.`]
    case 'default':
      return [`Finding ${number}: ${action}, as policy says of what it has no row for.`]
    case 'denied':
    case undefined:
      return []
  }
}

const seen = ({ outcome, status, reasons, findings }: ExchangeLine): readonly string[] => {
  const [code = ''] = reasons
  const replaced = (direction: string) =>
    findings.some((finding) => finding.direction === direction && finding.action === 'redact')
  switch (outcome) {
    case 'allowed':
      return [`Status ${status} and the answer, as the model gave it.`]
    case 'redacted':
      return [
        `Status ${status} and the answer.`,
        ...(replaced('request') ? ['The model saw placeholders such as [REDACTED_…] in the request.'] : []),
        ...(replaced('response') ? ['The client saw placeholders such as [REDACTED_…] in the answer.'] : []),
      ]
    case 'cut':
      return [`Status ${status} and a part of the answer, which ends where it was cut.`]
    case 'client_gone':
      return ['Nothing more: it had closed the connection.']
    case 'refused':
    case 'failed':
      return [
        `${status === 200 ? 'The beginning of the answer, then an error' : `Status ${status}`}: ${code}` +
          (isRefusalCode(code) ? `. ${refusals[code].message}` : '.'),
      ]
  }
}

const recordLines = ({ record, file, seq, proof }: Explanation): readonly string[] => [
  `Line ${seq} of the log, in ${file}.`,
  proofLine(proof),
  ...(record?.versions?.guard
    ? [`Written by Postern ${record.versions.guard}, rules ${record.versions.rules}.`]
    : []),
  ...(record?.trace ? [`Trace ${record.trace}.`] : []),
]

const proofLine = ({ state, from, to, signedAt, why }: Proof): string => {
  switch (state) {
    case 'signed':
      return `The chain holds from line ${from} to ${to}, and the guard signed for it${signedAt === undefined ? ' in the head file' : ` at ${signedAt}`}.`
    case 'chained':
      return `The chain holds from line ${from} to ${to}, and nothing signed vouches for it: ${why ?? ''}.`
    case 'broken':
      return `THE CHAIN IS BROKEN near this line: ${why ?? ''}. What stands above is not proven.`
  }
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
