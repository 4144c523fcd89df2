import type { Finding } from '../core/finding.ts'
import type { ScanSession } from '../core/scanner.ts'

/** Findings less those that lead to a host on the policy's list: `name`, or `*.name` for what is below it, or `*`. */
export const leadingElsewhere = (
  findings: readonly Finding[],
  hosts: readonly string[] = [],
): readonly Finding[] =>
  hosts.length === 0 || findings.length === 0
    ? findings
    : findings.filter(({ host }) => host === undefined || host === '' || !isListed(host, hosts))

const isListed = (host: string, hosts: readonly string[]): boolean =>
  hosts.some(
    (listed) =>
      listed === host || listed === '*' || (listed.startsWith('*.') && host.endsWith(listed.slice(1))),
  )

/** The same of a text that arrives in pieces. */
export const sessionElsewhere = (session: ScanSession, hosts: readonly string[] = []): ScanSession =>
  hosts.length === 0
    ? session
    : {
        push: (piece) => leadingElsewhere(session.push(piece), hosts),
        end: () => leadingElsewhere(session.end(), hosts),
        get cleared() {
          return session.cleared
        },
        get open() {
          return session.open === true
        },
      }
