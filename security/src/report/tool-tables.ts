import { judgedBy, toolName } from './by-tool.ts'
import { percent } from './gate.ts'
import { escapeHtml } from './pictures.ts'
import type { RunRecord, TargetTally } from './record.ts'
import { rate, sum, titleOf } from './words.ts'

/** One row for each tool. */
export const toolTable = (runs: readonly RunRecord[]): string =>
  `<div class="wide"><table><thead><tr>${[
    'Sent by',
    'on',
    'sent',
    'stopped by guard',
    'worked without guard',
    'got through guard',
    'share',
  ]
    .map((title) => `<th scope="col">${title}</th>`)
    .join('')}</tr></thead><tbody>${runs.map(row).join('')}</tbody></table></div>`

const row = (run: RunRecord): string => {
  const { guarded, bare } = run.targets
  const through = guarded && sum(guarded.families)
  const open = bare && sum(bare.families)
  const requests = Object.keys((guarded ?? bare)?.families ?? {}).join() === 'harmful_request'
  const note = `${requests ? ', for the model to decline' : ''}${run.unfinished === undefined ? '' : ' (did not end)'}`
  return `<tr><th scope="row">${escapeHtml(toolName(run))}${note}</th><td>${escapeHtml(run.at.slice(0, 10))}</td>${[
    String((through ?? open)?.attacks ?? 0),
    guarded === undefined ? '' : String(guarded.confusion.attack.blocked),
    open === undefined ? 'not tried' : String(open.successes),
    through === undefined ? 'no guard' : String(through.successes),
    through === undefined || through.attacks === 0 ? '' : percent(rate(through)),
  ]
    .map((value) => `<td class="n">${value}</td>`)
    .join('')}</tr>`
}

/** Kinds of attack in rows, tools in columns. */
export const kindTable = (runs: readonly RunRecord[]): string => {
  const tallies = runs.map(({ targets }) => targets.guarded ?? targets.bare)
  const kinds = [...new Set(tallies.flatMap((tally) => Object.keys(tally?.families ?? {})))].sort()
  const head = runs.map((run) => `<th scope="col">${escapeHtml(toolName(run))}</th>`)
  const rows = kinds.map((kind) => {
    const cells = tallies.map((tally) => {
      const count = tally?.families[kind]
      return `<td class="n">${count === undefined ? '' : `${count.successes} of ${count.attacks}`}</td>`
    })
    return `<tr><th scope="row">${escapeHtml(titleOf(kind))}</th>${cells.join('')}</tr>`
  })
  return `<div class="wide"><table><thead><tr><th scope="col">Kind</th>${head.join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

/** What other tools found, each with what its numbers mean. */
export const toolSections = (others: readonly RunRecord[]): string =>
  others
    .map((run) => {
      const main = run.targets.guarded ?? run.targets.bare
      return `<section><h3>${escapeHtml(toolName(run))}</h3><p>${escapeHtml(judgedBy(run.tool))}</p>${main === undefined ? '' : familyTable(main, run.targets.bare)}</section>`
    })
    .join('')

/** Sent and got through, by family. `bare` adds what worked without the guard. */
export const familyTable = ({ families }: TargetTally, bare: TargetTally | undefined): string => {
  const rows = Object.entries(families).map(([family, count]) => {
    const open = bare?.families[family]
    return `<tr><th scope="row">${escapeHtml(titleOf(family))}</th><td class="n">${count.attacks}</td>${bare === undefined ? '' : `<td class="n">${open?.successes ?? ''}</td>`}<td class="n">${count.successes}</td><td class="n">${percent(rate(count))}</td></tr>`
  })
  const without = bare === undefined ? '' : '<th scope="col">worked without guard</th>'
  return `<div class="wide"><table><thead><tr><th scope="col">Kind</th><th scope="col">sent</th>${without}<th scope="col">got through guard</th><th scope="col">share</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}
