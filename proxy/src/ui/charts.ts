import { axis, clockTime, compact, path2 } from './scale.ts'
import { h, type Tree } from './tree.ts'

export interface Line {
  readonly name: string
  /** Class of its colour in the stylesheet: `c1` to `c6`. */
  readonly colour: string
  readonly values: readonly (number | undefined)[]
}

export interface Chart {
  readonly id: string
  readonly title: string
  /** One sentence that says what the picture shows, for those who do not see it. */
  readonly summary: string
  readonly kind: 'bars' | 'lines'
  readonly lines: readonly Line[]
  /** When each step began, Unix milliseconds. */
  readonly times: readonly number[]
  readonly unit: string
}

const WIDTH = 520
const HEIGHT = 190
const LEFT = 40
const RIGHT = 512
const TOP = 10
const BOTTOM = 166
/** Rows of the table of numbers: steps are put together. */
const TABLE_ROWS = 12

/** A figure: stacked bars or lines as SVG, a legend, and the numbers as a table. */
export const chart = (what: Chart): Tree =>
  h(
    'figure',
    { class: 'chart', id: what.id },
    h('figcaption', {}, h('h3', {}, what.title), h('p', { class: 'summary' }, what.summary)),
    picture(what),
    h('ul', { class: 'legend', 'aria-hidden': 'true' }, ...what.lines.map(legend)),
    numbers(what),
  )

const legend = ({ name, colour }: Line): Tree => h('li', {}, h('span', { class: `key ${colour}` }), name)

const picture = (what: Chart): Tree => {
  const { id, title, summary, kind, lines, times } = what
  const tops =
    kind === 'bars'
      ? times.map((_, step) => lines.reduce((sum, { values }) => sum + (values[step] ?? 0), 0))
      : lines.flatMap(({ values }) => values.map((value) => value ?? 0))
  const { max, ticks } = axis(Math.max(0, ...tops))
  const y = (value: number): number => BOTTOM - (value / max) * (BOTTOM - TOP)
  const x = (step: number): number => LEFT + (step * (RIGHT - LEFT)) / times.length
  return h(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-labelledby': `${id}-t ${id}-d` },
    h('title', { id: `${id}-t` }, title),
    h('desc', { id: `${id}-d` }, summary),
    ...ticks.flatMap((tick) => [
      h('line', { class: 'grid', x1: LEFT, x2: RIGHT, y1: path2(y(tick)), y2: path2(y(tick)) }),
      h('text', { x: LEFT - 5, y: path2(y(tick) + 4), class: 'left' }, compact(tick)),
    ]),
    ...[0, 20, 40, times.length].map((step) =>
      h('text', { x: path2(x(step)), y: HEIGHT - 6, class: place(step, times) }, hand(step, times)),
    ),
    ...(kind === 'bars' ? bars(what, { x, y }) : curves(what, { x, y })),
    h('g', { class: 'hits' }, ...times.map((_, step) => hit(what, { step, x }))),
  )
}

const place = (step: number, times: readonly number[]): string =>
  step === 0 ? 'start' : step === times.length ? 'left' : 'middle'

const hand = (step: number, times: readonly number[]): string =>
  step === times.length ? 'now' : clockTime(times[step] ?? 0)

interface Scales {
  readonly x: (step: number) => number
  readonly y: (value: number) => number
}

/** One path for each line, so that an hour is some kilobytes. */
const bars = ({ lines, times }: Chart, { x, y }: Scales): readonly Tree[] => {
  const below = times.map(() => 0)
  return lines.map(({ values, colour }) => {
    let d = ''
    for (const [step, value] of values.entries()) {
      if (value === undefined || value === 0) continue
      const from = below[step] ?? 0
      below[step] = from + value
      d += `M${path2(x(step) + 0.7)} ${path2(y(from))}V${path2(y(from + value))}H${path2(x(step + 1) - 0.7)}V${path2(y(from))}Z`
    }
    return h('path', { class: `bar ${colour}`, d })
  })
}

/** A line ends where there is nothing to say; one lonely value is a dot. */
const curves = ({ lines }: Chart, { x, y }: Scales): readonly Tree[] =>
  lines.map(({ values, colour }) => {
    let d = ''
    for (const [step, value] of values.entries()) {
      if (value === undefined) continue
      const at = `${path2(x(step + 0.5))} ${path2(y(value))}`
      d += values[step - 1] === undefined ? `M${at}h.01` : `L${at}`
    }
    return h('path', { class: `curve ${colour}`, d })
  })

/** What the pointer shows over one step. */
const hit = ({ lines, times, unit }: Chart, { step, x }: { step: number; x: Scales['x'] }): Tree => {
  const says = lines
    .filter(({ values }) => (values[step] ?? 0) > 0)
    .map(({ name, values }) => `${name} ${compact(values[step] ?? 0)}${unit}`)
  return h(
    'rect',
    { x: path2(x(step)), y: TOP, width: path2(x(step + 1) - x(step)), height: BOTTOM - TOP },
    h('title', {}, `${clockTime(times[step] ?? 0)} UTC: ${says.join(', ') || 'nothing'}`),
  )
}

const numbers = ({ id, title, kind, lines, times, unit }: Chart): Tree => {
  const each = times.length / TABLE_ROWS
  const merged = (values: Line['values'], row: number): string => {
    const found = values.slice(row * each, (row + 1) * each).filter((value) => value !== undefined)
    if (found.length === 0) return '–'
    if (kind === 'lines') return `${compact(Math.max(...found))}${unit}`
    return compact(found.reduce((sum, value) => sum + value, 0))
  }
  return h(
    'details',
    { id: `${id}-n` },
    h('summary', {}, 'Numbers', h('span', { class: 'unseen' }, ` of ${title}`)),
    h(
      'div',
      { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Numbers of ${title}` },
      h(
        'table',
        {},
        h(
          'caption',
          { class: 'unseen' },
          `${title}${kind === 'lines' ? ', highest value of each time' : ''}`,
        ),
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'From, UTC'),
            ...lines.map(({ name }) => h('th', { scope: 'col', class: 'number' }, name)),
          ),
        ),
        h(
          'tbody',
          {},
          ...Array.from({ length: TABLE_ROWS }, (_, row) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, clockTime(times[row * each] ?? 0)),
              ...lines.map(({ values }) => h('td', { class: 'number' }, merged(values, row))),
            ),
          ),
        ),
      ),
    ),
  )
}
