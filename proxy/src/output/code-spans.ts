/**
 * Follows Markdown far enough to say that a place is certainly shown as code (CommonMark 0.31, sections 4.5 and 6.1). Where
 * renderers could disagree, nothing is code any more: in HTML blocks, fences inside lists and quotations, tables, formulas.
 */
export interface CodeSpans {
  step(code: number, at: number): void
  /** The same for a word, ASCII letters and digits, that begins at `at`. */
  word(word: string, at: number): void
  /** `certain`: fenced. `perhaps`: code if the line closes it. */
  where(start: number): 'text' | 'perhaps' | 'certain'
  /** Grows when an inline span closed; what is `perhaps` from before that is code. */
  readonly closed: number
  /** Grows when an inline span turned out to be none. */
  readonly broken: number
}

const LINE = 64
/** What may stand before the content of a line: quotations, lists, indentation. */
const MARKERS = /^[\s>*+\-\d.)#|[\]^:]*/

export const codeSpans = (): CodeSpans => {
  const state: State = {
    ...{ line: '', ticksInLine: 0, fence: undefined, fencedFrom: 0, unsure: false, dirty: false },
    ...{ run: 0, open: 0, openFrom: 0, last: 0, closed: 0, broken: 0 },
  }
  return {
    step(code, at) {
      step(state, code, at)
      state.last = code
    },
    word(word, at) {
      if (state.line.length < LINE) state.line += word.slice(0, LINE - state.line.length)
      if (!state.fence) endRun(state, at)
      state.last = word.charCodeAt(word.length - 1)
    },
    where(start) {
      if (state.unsure) return 'text'
      if (state.fence) return start > state.fencedFrom ? 'certain' : 'text'
      return state.open > 0 && !state.dirty && start >= state.openFrom ? 'perhaps' : 'text'
    },
    get closed() {
      return state.closed
    },
    get broken() {
      return state.broken
    },
  }
}

interface State {
  /** The beginning of the line. */
  line: string
  ticksInLine: number
  fence: Fence | undefined
  fencedFrom: number
  unsure: boolean
  /** Something in this paragraph may bind before a backtick. */
  dirty: boolean
  /** Backticks that just stood in a row. */
  run: number
  /** Backticks that opened a span, 0 outside. */
  open: number
  openFrom: number
  last: number
  closed: number
  broken: number
}

const step = (state: State, code: number, at: number): void => {
  if (code === 0x0a || code === 0x0d) {
    // The second half of a line end is no empty line.
    if (!(code === 0x0a && state.last === 0x0d)) endLine(state, at)
    return
  }
  if (state.line.length < LINE) state.line += String.fromCharCode(code)
  if (state.fence) return
  if (code === 0x60) {
    state.run++
    state.ticksInLine++
    return
  }
  endRun(state, at)
  if (breaksSpans(code, state.open > 0)) state.dirty = true
}

const endRun = (state: State, at: number): void => {
  const { run } = state
  if (run === 0) return
  state.run = 0
  if (state.open === 0) {
    state.open = run
    state.openFrom = at
  } else if (state.open === run) {
    state.open = 0
    if (state.dirty) state.broken++
    else state.closed++
  }
}

const endLine = (state: State, at: number): void => {
  endRun(state, at)
  if (state.open > 0) {
    state.open = 0
    state.dirty = true
    state.broken++
  }
  const { line, ticksInLine } = state
  state.line = ''
  state.ticksInLine = 0
  if (state.fence) {
    if (closes(line, state.fence)) Object.assign(state, { fence: undefined, dirty: false })
  } else if (line.trim() === '') state.dirty = false
  else beginBlock(state, opens(line, ticksInLine), { line, at })
}

const beginBlock = (
  state: State,
  fence: Fence | undefined,
  { line, at }: { readonly line: string; readonly at: number },
): void => {
  if (fence && !state.unsure) {
    state.fence = fence
    state.fencedFrom = at
  } else if (isUnsure(line)) state.unsure = true
}

interface Fence {
  readonly mark: string
  readonly length: number
}

/** Only at the very beginning of a line: further in, what closes it depends on the list around it. */
const opens = (line: string, ticks: number): Fence | undefined => {
  const mark = line[0] ?? ''
  if (mark !== '`' && mark !== '~') return undefined
  const length = runOf(line, mark)
  if (length < 3 || (mark === '`' && ticks !== length)) return undefined
  return { mark, length }
}

const closes = (line: string, { mark, length }: Fence): boolean => {
  const bare = line.replace(/^ {0,3}/, '')
  const run = runOf(bare, mark)
  return run >= length && line.length < LINE && bare.slice(run).trim() === ''
}

const runOf = (line: string, mark: string): number => {
  let length = 0
  while (line[length] === mark) length++
  return length
}

const isUnsure = (line: string): boolean => {
  const content = line.replace(MARKERS, '')
  return /^(?:```|~~~|<|\$\$|%%)/.test(content) || (content === '' && line.length >= LINE)
}

/** Escapes, tags, formulas and table cells bind before or like code; cells even inside it. */
const breaksSpans = (code: number, inside: boolean): boolean =>
  code === 0x7c || (!inside && (code === 0x5c || code === 0x3c || code === 0x24)) || (inside && code === 0x24)
