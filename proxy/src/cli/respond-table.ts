import type { ListedOrder } from '../respond/desk-client.ts'
import type { Io } from './command.ts'

/** Times are UTC, to the second. */
export const table = (orders: readonly ListedOrder[], io: Io): void => {
  const rows = [
    ['ORDER', 'WHAT', 'WHOM', 'BY', 'SINCE', 'UNTIL'],
    ...orders.map((order) => [
      ...[order.id, order.target.kind, whom(order), shown(order.by), iso(order.since)],
      order.inForce ? iso(order.until) : ended(order),
    ]),
  ]
  const widths = rows.reduce((most, row) => row.map((cell, at) => Math.max(most[at] ?? 0, cell.length)), [0])
  for (const [at, row] of rows.entries()) {
    const line = row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
    io.out(`${at === 0 ? io.paint('bold', line) : line}\n`)
  }
}

const whom = ({ target }: ListedOrder): string => {
  switch (target.kind) {
    case 'revoke':
      return shown(`${target.caller.subject} of ${target.caller.tenant} (${target.caller.via})`)
    case 'tighten':
      return shown(target.overlay)
    case 'quarantine':
      return shown(
        target.pod.namespace === '' ? target.pod.name : `${target.pod.namespace}/${target.pod.name}`,
      )
  }
}

const ended = ({ until, ended: end }: ListedOrder): string =>
  end === undefined ? `lapsed ${iso(until)}` : `undone ${iso(end.at)} by ${shown(end.by)}`

const iso = (time: number): string => new Date(time).toISOString().replace(/\.\d+Z$/, 'Z')

/** As the desk writes it. */
export const plain = ({ inForce, since, until, ended: end, ...order }: ListedOrder): object => ({
  ...order,
  ...{ since: iso(since), until: iso(until), in_force: inForce },
  ...(end && { ended: { ...end, at: iso(end.at) } }),
})

/** Names come from tokens and events: none may move the cursor or turn the text around. */
export const shown = (words: string): string => words.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}')

/** ASCII where a terminal could take a character for a command. */
export const json = (value: object): string =>
  JSON.stringify(value).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (found) =>
    [...Array(found.length).keys()]
      .map((at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  )
