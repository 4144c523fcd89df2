import { judgedBy, newestOfEach, toolName } from './by-tool.ts'
import { escapeHtml, familyBars, heatmap, trend } from './pictures.ts'
import type { RunRecord, TargetTally } from './record.ts'
import { earlierTogether, together } from './together.ts'
import { familyTable, kindTable, toolSections, toolTable } from './tool-tables.ts'
import { inWords, type Verdict } from './words.ts'

const STYLE = `
:root{color-scheme:light dark;--ink:#1b2430;--dim:#52606f;--paper:#fff;--line:#d5dbe2;--guarded:#c2410c;--bare:#8593a3;--held:#cfe3d4;--good:#15803d;--fair:#a16207;--bad:#b91c1c}
@media(prefers-color-scheme:dark){:root{--ink:#e6ebf1;--dim:#a3b0be;--paper:#12181f;--line:#33404d;--guarded:#fb923c;--bare:#64748b;--held:#1f3b29;--good:#4ade80;--fair:#facc15;--bad:#f87171}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;max-width:70rem;padding:2rem 1rem}
h1{font-size:1rem;font-weight:600;color:var(--dim);margin:0}
.headline{font-size:2rem;line-height:1.2;font-weight:700;margin:.5rem 0 1rem;border-left:.5rem solid;padding-left:1rem}
.good{border-color:var(--good)}.fair{border-color:var(--fair)}.bad{border-color:var(--bad)}
.lead{font-size:1.15rem;max-width:48rem}h2{margin-top:2.5rem}
svg{width:100%;height:auto;max-width:60rem}svg text{fill:var(--ink);font:14px system-ui,sans-serif}svg .small{font-size:12px;fill:var(--dim)}
.guarded{fill:var(--guarded)}.bare{fill:var(--bare)}.held{fill:var(--held)}.idle{fill:var(--line)}.through{fill:var(--bad)}.none{fill:none;stroke:var(--line)}
.grid{stroke:var(--line)}.line{fill:none;stroke:var(--guarded);stroke-width:2}
.key{display:inline-block;width:.9em;height:.9em;border-radius:2px;margin:0 .3em 0 1em;vertical-align:-.1em}
table{border-collapse:collapse}th,td{border-bottom:1px solid var(--line);padding:.35rem .8rem;text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}th:first-child{text-align:left}
.wide,.scroll{overflow-x:auto}.scroll svg{width:auto;max-width:none}summary{cursor:pointer;margin:.75rem 0}h3{margin:1.5rem 0 .25rem}.headline+.lead p{margin:.4rem 0}footer{color:var(--dim);margin-top:3rem;font-size:.9rem}@media print{body{max-width:none}}
`

/** One file without anything to load. `before` are the earlier runs of the store, oldest first. */
export const htmlReport = (record: RunRecord, before: readonly RunRecord[]): string => {
  const { headline, mood, sentences } = inWords(record, before)
  const main = record.targets.guarded ?? record.targets.bare
  const runs = [
    ...before.filter(
      ({ model, tool, unfinished }) =>
        model === record.model && tool === record.tool && unfinished === undefined,
    ),
    record,
  ]
  const tools = newestOfEach(record, before)
  return page(record, {
    headline,
    mood,
    sentences,
    main: `${tools.length < 2 ? '' : `<h2>At a glance, by tool</h2><p>The newest whole run of each tool with this model; the first row is this run. Tools judge differently, so compare a row with its past rather than with other rows.</p>${toolTable(tools)}`}
<h2>What got through, by kind of attack</h2><p>${escapeHtml(judgedBy(record.tool))}</p>
${BARS_KEY}
${familyBars(record)}
<h2>Over time</h2>${runs.length < 2 ? '<p>This is the first run.</p>' : trend(runs.slice(-50))}
${main === undefined ? '' : details(main, record.targets.bare)}
${tools.length < 2 ? '' : `<h2>What other tools found</h2>${toolSections(tools.slice(1))}`}`,
    source: `Sent by ${toolName(record)}, run ${record.id}, seed ${record.seed}, plan ${record.plan}.`,
  })
}

/**
 * The same for several tools that ran one after the other: what got through all in all comes first, then tool by tool. `notes` say which
 * gave nothing. Throws RangeError without a record.
 */
export const htmlReportOfTools = (
  records: readonly RunRecord[],
  before: readonly RunRecord[],
  notes: readonly string[],
): string => {
  const all = together(records)
  const then = earlierTogether(records, before)
  const { headline, mood, sentences } = inWords(all, then === undefined ? [] : [then])
  const ran = new Set(records.map(({ tool }) => tool))
  const others = newestOfEach(all, before)
    .slice(1)
    .filter(({ tool }) => !ran.has(tool))
  return page(all, {
    headline,
    mood: notes.length > 0 && mood === 'good' ? 'fair' : mood,
    sentences: [...notes, ...sentences],
    main: `<h2>At a glance, by tool</h2><p>Tools judge differently, so compare a row with its past rather than with other rows. What each row counts stands with the tool below.</p>${toolTable(records)}
<h2>By kind of attack and tool</h2><p>Got through the guard, of those that were sent. Empty: the tool sends nothing of that kind.</p>${kindTable(records)}
<h2>What got through, by kind of attack</h2><p>All tools together.</p>
${BARS_KEY}
${familyBars(all)}
<h2>Tool by tool</h2>${records.map(toolDetails).join('')}
${others.length === 0 ? '' : `<h2>Earlier, by others</h2><p>The newest whole run of each tool and list that was not part of this run.</p>${toolTable(others)}`}`,
    source: `Sent by ${records.map((record) => `${toolName(record)} (run ${record.id})`).join(', ')}, seed ${all.seed}.`,
  })
}

const BARS_KEY =
  '<p><span class="key" style="background:var(--guarded)"></span>with the guard<span class="key" style="background:var(--bare)"></span>without it</p>'

interface Page extends Verdict {
  readonly main: string
  readonly source: string
}

const page = (
  { model, at }: RunRecord,
  { headline, mood, sentences, main, source }: Page,
): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Attack report: ${escapeHtml(headline)}</title><style>${STYLE}</style></head><body>
<header><h1>Attack report for ${escapeHtml(model)}, ${escapeHtml(at.slice(0, 16).replace('T', ' '))} UTC</h1>
<p class="headline ${mood}">${escapeHtml(headline)}</p>
<div class="lead">${sentences.map((sentence) => `<p>${escapeHtml(sentence)}</p>`).join('')}</div></header>
<main>
${main}
</main>
<footer>${escapeHtml(source)} Shares are
of the attacks of this run, not of all attacks there are: a low share is no proof of safety.</footer></body></html>
`

const toolDetails = (run: RunRecord): string => {
  const main = run.targets.guarded ?? run.targets.bare
  return `<section><h3>${escapeHtml(toolName(run))}</h3><p>${escapeHtml(judgedBy(run.tool))}</p>${main === undefined ? '' : `${familyTable(main, run.targets.bare)}<details><summary>By disguise</summary><div class="scroll">${heatmap(main, run.targets.bare)}</div></details>`}</section>`
}

const details = (tally: TargetTally, bare: TargetTally | undefined): string => `
<h2>Stopped or let pass</h2>${confusionTable(tally)}
${tally.falsePositives.length === 0 ? '' : `<p>Stopped by mistake: ${tally.falsePositives.map(escapeHtml).join(', ')}.</p>`}
<h2>By disguise</h2><p>Green: none got through. Red: the stronger, the more did. Grey: none got through, and none worked without the guard either. Empty: not tried.</p>
<div class="scroll">${heatmap(tally, bare)}</div>
<h2>Numbers</h2>${familyTable(tally, bare)}`

const confusionTable = ({ confusion: { attack, benign } }: TargetTally): string => {
  const row = (name: string, { blocked, allowed }: { blocked: number; allowed: number }): string =>
    `<tr><th scope="row">${name}</th><td class="n">${blocked}</td><td class="n">${allowed}</td></tr>`
  return `<table><thead><tr><th scope="col"></th><th scope="col">stopped</th><th scope="col">let pass</th></tr></thead><tbody>${row('Attacks', attack)}${benign.blocked + benign.allowed === 0 ? '' : row('Harmless prompts', benign)}</tbody></table>
<p>An attack that is let pass has not succeeded by that: the model may have resisted.</p>`
}
