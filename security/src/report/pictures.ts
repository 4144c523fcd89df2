import { percent } from './gate.ts'
import type { RunRecord, TargetTally } from './record.ts'
import { rate, sum, titleOf } from './words.ts'

export const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const picture = (size: readonly [number, number], label: string, body: string): string =>
  `<svg width="${size[0]}" height="${size[1]}" viewBox="0 0 ${size[0]} ${size[1]}" role="img" aria-label="${escapeHtml(label)}">${body}</svg>`

const BAR = 300
const LEFT = 210

/** Two bars a family: with and without the guard. */
export const familyBars = ({ targets: { guarded, bare } }: RunRecord): string => {
  const main = guarded ?? bare
  const share = (family: string): number => rate(main?.families[family] ?? { attacks: 0, successes: 0 })
  const families = [
    ...new Set([guarded, bare].flatMap((tally) => Object.keys(tally?.families ?? {}))),
  ].toSorted((a, b) => share(b) - share(a))
  const rows = families.map((family, i) => {
    const y = 12 + i * 44
    const bar = (tally: TargetTally | undefined, name: string, offset: number): string => {
      const count = tally?.families[family]
      if (count === undefined) return ''
      const words = `${count.successes} of ${count.attacks}, ${percent(rate(count))}`
      const width = Math.max(1, BAR * rate(count))
      return `<rect class="${name}" x="${LEFT}" y="${y + offset}" width="${width.toFixed(1)}" height="14" rx="2"/><text class="small" x="${(LEFT + width + 6).toFixed(1)}" y="${y + offset + 11}">${words}</text>`
    }
    return `<text x="${LEFT - 10}" y="${y + 20}" text-anchor="end">${escapeHtml(titleOf(family))}</text>${bar(guarded, 'guarded', 0)}${bar(bare, 'bare', 16)}`
  })
  return picture(
    [660, 20 + families.length * 44],
    'Share of attacks that worked, by family, with and without the guard',
    rows.join(''),
  )
}

/** Share that got through the guard over the stored runs. */
export const trend = (runs: readonly RunRecord[]): string => {
  const points = runs.flatMap(({ at, targets: { guarded } }) =>
    guarded === undefined ? [] : [{ at, share: rate(sum(guarded.families)) }],
  )
  const top = Math.max(0.05, ...points.map(({ share }) => share))
  const x = (i: number): number => 50 + (i * 580) / Math.max(1, points.length - 1)
  const y = (share: number): number => 160 - (140 * share) / top
  const line = points.map(({ share }, i) => `${x(i).toFixed(1)},${y(share).toFixed(1)}`).join(' ')
  const dots = points.map(
    ({ at, share }, i) =>
      `<circle class="guarded" cx="${x(i).toFixed(1)}" cy="${y(share).toFixed(1)}" r="4"><title>${at.slice(0, 16)}: ${percent(share)}</title></circle>`,
  )
  const axis = [0, top / 2, top].map(
    (share) =>
      `<line class="grid" x1="50" x2="640" y1="${y(share)}" y2="${y(share)}"/><text class="small" x="44" y="${y(share) + 4}" text-anchor="end">${percent(share)}</text>`,
  )
  const ends = [points[0], points.at(-1)].map(
    (point, i) =>
      `<text class="small" x="${i === 0 ? 50 : 640}" y="182" text-anchor="${i === 0 ? 'start' : 'end'}">${i === 1 && points.length < 2 ? '' : (point?.at.slice(0, 10) ?? '')}</text>`,
  )
  const label = `Share of attacks that got through the guard in the last ${points.length} runs`
  return picture(
    [660, 190],
    label,
    `${axis.join('')}<polyline class="line" points="${line}"/>${dots.join('')}${ends.join('')}`,
  )
}

const CELL = 24

/** Family by mutator: the darker, the more of them got through the guard. `bare` tells what never worked from what was held. */
export const heatmap = (tally: TargetTally, bare?: TargetTally): string => {
  const families = Object.keys(tally.heat)
  const mutators = [...new Set(families.flatMap((family) => Object.keys(tally.heat[family] ?? {})))].sort()
  // Names stand at 60 degrees; a letter is about 6 units wide.
  const top = 30 + Math.ceil(5.4 * Math.max(0, ...mutators.map(({ length }) => length)))
  const head = mutators.map(
    (name, i) =>
      `<text class="small" transform="translate(${LEFT + i * CELL + 16},${top - 8}) rotate(-60)">${escapeHtml(name.replaceAll('_', ' '))}</text>`,
  )
  const rows = families.map((family, row) => {
    const y = top + row * CELL
    const cells = mutators.map((mutator, i) => {
      const count = tally.heat[family]?.[mutator]
      const place = `x="${LEFT + i * CELL}" y="${y}" width="${CELL - 2}" height="${CELL - 2}" rx="3"`
      if (count === undefined) return `<rect class="none" ${place}/>`
      const title = `${escapeHtml(titleOf(family))}, ${escapeHtml(mutator)}: ${count.successes} of ${count.attacks} got through`
      const opacity =
        count.successes === 0 ? '' : ` style="fill-opacity:${(0.25 + 0.75 * rate(count)).toFixed(2)}"`
      const idle = bare?.heat[family]?.[mutator]?.successes === 0
      return `<rect class="${count.successes > 0 ? 'through' : idle ? 'idle' : 'held'}" ${place}${opacity}><title>${title}</title></rect>`
    })
    return `<text class="small" x="${LEFT - 10}" y="${y + 16}" text-anchor="end">${escapeHtml(titleOf(family))}</text>${cells.join('')}`
  })
  const size = [
    LEFT + mutators.length * CELL + Math.ceil(0.6 * top),
    top + 4 + families.length * CELL,
  ] as const
  return picture(
    size,
    'What got through, by family and by the way it was disguised',
    head.join('') + rows.join(''),
  )
}
