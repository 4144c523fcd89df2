import type { Level } from './finding.ts'
import { ruleOf, type Result } from './result.ts'

const COLOURS: Readonly<Record<Level, string>> = { error: '31', warning: '33', note: '36' }

/** For people: place, rule, what, why and what to do; why and what to do once per rule and file. */
export const report = (results: readonly Result[], terminal: boolean): string => {
  const paint = (code: string, text: string): string => (terminal ? `\u001b[${code}m${text}\u001b[0m` : text)
  const explained = new Set<string>()
  return results
    .map((result) => {
      const { finding, level, path, start } = result
      const rule = ruleOf(finding)
      const head = `${path}:${start.line}:${start.column} ${paint(COLOURS[level], level)} ${paint('1', finding.rule)} ${finding.message}\n`
      const key = `${path} ${finding.rule}`
      const isNew = !explained.has(key)
      explained.add(key)
      const fix =
        finding.fix === undefined
          ? ''
          : `    can be fixed: ${finding.fix.title}${finding.fix.safe ? ' (--fix)' : ''}\n`
      if (!isNew) return head + fix
      return `${head}    why: ${rule.why}\n    fix: ${rule.fix} ${paint('2', `[${rule.owasp}, CWE-${rule.cwe}]`)}\n${fix}`
    })
    .join('')
}

export const jsonReport = (results: readonly Result[]): readonly object[] =>
  results.map(({ finding, level, path, start, end, fingerprint }) => {
    const { owasp, cwe, fix } = ruleOf(finding)
    return {
      path,
      line: start.line,
      column: start.column,
      endLine: end.line,
      endColumn: end.column,
      rule: finding.rule,
      level,
      message: finding.message,
      fix,
      owasp,
      cwe,
      fingerprint,
    }
  })
