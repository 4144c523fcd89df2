import { covers, expired, type Exception } from './exceptions.ts'
import { atLeast, type Severity, type Vulnerability } from './vulnerability.ts'

export interface Rules {
  readonly exceptions: readonly Exception[]
  readonly today: Date
  /** From this severity on a weakness fails the run. */
  readonly limit: Severity
  /** Those that nobody has fixed yet fail too. */
  readonly unfixed: boolean
  /** Those of packages that are not shipped fail too. */
  readonly development: boolean
}

export interface Judged {
  readonly vulnerability: Vulnerability
  readonly fails: boolean
  /** Why it does not fail, or that an exception for it has ended. Empty when there is nothing to say. */
  readonly note: string
}

/** What fails, worst first, then what does not and why. */
export const judge = (all: readonly Vulnerability[], rules: Rules): readonly Judged[] =>
  all
    .map((vulnerability) => judgeOne(vulnerability, rules))
    .sort(
      (a, b) =>
        Number(b.fails) - Number(a.fails) ||
        Number(atLeast(b.vulnerability.severity, 'critical')) -
          Number(atLeast(a.vulnerability.severity, 'critical')) ||
        a.vulnerability.package.localeCompare(b.vulnerability.package),
    )

const judgeOne = (vulnerability: Vulnerability, rules: Rules): Judged => {
  const quiet = (note: string): Judged => ({ vulnerability, fails: false, note })
  if (!atLeast(vulnerability.severity, rules.limit)) return quiet(`below ${rules.limit}`)
  if (vulnerability.fixedIn.length === 0 && !rules.unfixed) return quiet('nobody has fixed it yet')
  if (vulnerability.development && !rules.development) return quiet('not shipped')
  const covering = rules.exceptions.filter((each) => covers(each, vulnerability))
  const open = covering.find((each) => !expired(each, rules.today))
  if (open !== undefined) return quiet(`exception until ${open.until}: ${open.reason}`)
  const ended = covering[0]
  return { vulnerability, fails: true, note: ended === undefined ? '' : `its exception ended ${ended.until}` }
}

/** Exceptions that cover nothing that was found: they hide nothing and should go. */
export const unused = (
  exceptions: readonly Exception[],
  all: readonly Vulnerability[],
): readonly Exception[] =>
  exceptions.filter((exception) => !all.some((vulnerability) => covers(exception, vulnerability)))
