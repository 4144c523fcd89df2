import type { Finding } from './finding.ts'
import { positions } from '../../../proxy/src/core/positions.ts'

const MARK = 'postern-sec: allow'

export const isMarked = (text: string): boolean => text.includes(MARK)

/**
 * `postern-sec: allow RULE, RULE -- reason` in a comment quiets these rules on its own line and the next;
 * `postern-sec: allow-file` in the whole file. Without a reason it quiets nothing and is itself a finding.
 */
export const suppress = (text: string, findings: readonly Finding[]): readonly Finding[] => {
  if (!isMarked(text)) return findings
  const place = positions(text)
  const marks = marksIn(text)
  const used = new Set<Mark>()
  const kept = findings.filter((finding) => {
    const { line } = place(finding.start)
    const mark = marks.find(
      (one) =>
        one.hasReason &&
        one.rules.includes(finding.rule) &&
        (one.wholeFile || [0, 1].includes(line - place(one.start).line)),
    )
    if (mark !== undefined) used.add(mark)
    return mark === undefined
  })
  return [...kept, ...marks.flatMap((mark) => (used.has(mark) ? [] : [complaint(mark)]))]
}

interface Mark {
  readonly start: number
  readonly end: number
  readonly rules: readonly string[]
  readonly wholeFile: boolean
  readonly hasReason: boolean
}

const marksIn = (text: string): readonly Mark[] => {
  const marks: Mark[] = []
  for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + MARK.length)) {
    const stop = text.indexOf('\n', at)
    const line = text.slice(at + MARK.length, Math.min(stop < 0 ? text.length : stop, at + 500))
    const [head = '', ...reason] = line.split(' -- ')
    const wholeFile = head.startsWith('-file')
    const rules = head
      .replace('-file', '')
      .split(/[\s,]+/)
      .filter((rule) => /^[a-z0-9-]+$/.test(rule))
    const hasReason =
      reason
        .join(' ')
        .replace(/[*/#>\s-]+$/, '')
        .trim().length >= 8
    marks.push({ start: at, end: at + MARK.length, rules, wholeFile, hasReason })
  }
  return marks
}

const complaint = ({ start, end, hasReason }: Mark): Finding =>
  hasReason
    ? { rule: 'unused-suppression', message: 'Nothing is found here that it could quiet.', start, end }
    : {
        rule: 'suppression-without-reason',
        message: 'It needs a rule and, after " -- ", a reason.',
        start,
        end,
      }
