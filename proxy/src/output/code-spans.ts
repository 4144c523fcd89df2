/**
 * Follows Markdown far enough to say that a place is certainly shown as code (CommonMark 0.31, sections 4.5 and 6.1). Where
 * it depends on what is around, nothing is code any more: in HTML blocks, fences inside quotations, tables, formulas.
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
    ...{
      line: '',
      ticksInLine: 0,
      fence: undefined,
      fencedFrom: 0,
      unsure: false,
      dirty: false,
      url: false,
      label: false,
      afterLabel: false,
      blank: true,
    },
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
      state.label = false
      state.last = word.charCodeAt(word.length - 1)
    },
    where(start) {
      if (state.unsure) return 'text'
      if (state.fence) {
        const inside = start > state.fencedFrom && indentOf(state.line) >= state.fence.indent
        return inside ? 'certain' : 'text'
      }
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
  /** In a bare address: renderers of GitHub's Markdown link it with the backticks in it, up to a blank. */
  url: boolean
  /** The line ends like the label of a definition, which some renderers look for in the next line whatever that is. */
  label: boolean
  afterLabel: boolean
  /** The line before was empty. */
  blank: boolean
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
  if (code === 0x20 || code === 0x09) {
    state.url = false
    return
  }
  state.label = code === 0x3a && state.last === 0x5d
  if ((code === 0x2f && state.last === 0x3a) || (code === 0x2e && isW(state.last))) state.url = true
}

const isW = (code: number): boolean => code === 0x77 || code === 0x57

const endRun = (state: State, at: number): void => {
  const { run } = state
  if (run === 0) return
  state.run = 0
  if (state.open === 0) {
    state.open = run
    state.openFrom = at
    if (state.url) state.dirty = true
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
  const { line, ticksInLine, fence } = state
  const blank = isBlank(line)
  if (fence) endFencedLine(state, fence, line)
  else if (blank) state.dirty = false
  else beginBlock(state, opens(line, ticksInLine, state.blank), { line, at })
  Object.assign(state, { line: '', ticksInLine: 0, url: false, afterLabel: state.label, label: false, blank })
}

const beginBlock = (
  state: State,
  fence: Fence | undefined,
  { line, at }: { readonly line: string; readonly at: number },
): void => {
  if (fence && state.afterLabel) state.unsure = true
  if (fence && !state.unsure) {
    state.fence = fence
    state.fencedFrom = at
  } else if (isUnsure(line)) state.unsure = true
}

/**
 * A fence that is indented may stand in a list or not. Lines that are indented as far belong to it either way, and one that closes it
 * with the same indentation closes it either way; after any other line nothing is certain.
 */
const endFencedLine = (state: State, fence: Fence, line: string): void => {
  const indent = indentOf(line)
  const leaves = indent < fence.indent && !isBlank(line)
  if (!leaves && !closes(line, fence)) return
  if (line.length >= LINE || (fence.indent > 0 && indent !== fence.indent)) state.unsure = true
  Object.assign(state, { fence: undefined, dirty: false })
}

interface Fence {
  readonly mark: string
  readonly length: number
  /** Spaces before it. */
  readonly indent: number
}

/** What a fence that interrupts a paragraph may have before it; deeper ones could be a line of that paragraph. */
const SHALLOW = 3
const DEEPEST = 16

const opens = (line: string, ticks: number, blank: boolean): Fence | undefined => {
  const indent = indentOf(line)
  const mark = line[indent] ?? ''
  if ((mark !== '`' && mark !== '~') || indent > (blank ? DEEPEST : SHALLOW)) return undefined
  const length = runOf(line.slice(indent), mark)
  if (length < 3 || line.length >= LINE || (mark === '`' && ticks !== length)) return undefined
  return { mark, length, indent }
}

const closes = (line: string, { mark, length, indent }: Fence): boolean => {
  const bare = line.replace(indent > 0 ? /^[ \t]*/ : /^ {0,3}/, '')
  const run = runOf(bare, mark)
  return run >= length && isSpace(bare.slice(run))
}

/** What Markdown calls blank: other spaces are text. A line whose end is not kept could be anything. */
const isBlank = (line: string): boolean => line.length < LINE && isSpace(line)

const isSpace = (text: string): boolean => /^[ \t]*$/.test(text)

const indentOf = (line: string): number => runOf(line, ' ')

const runOf = (line: string, mark: string): number => {
  let length = 0
  while (line[length] === mark) length++
  return length
}

const isUnsure = (line: string): boolean => {
  const content = line.replace(MARKERS, '')
  return /^(?:```|~~~|<|\$\$|%%)/.test(content) || (content === '' && line.length >= LINE)
}

/** Escapes, tags and formulas bind before or like code; cells of a table do inside it, and begin anew outside. */
const breaksSpans = (code: number, inside: boolean): boolean =>
  (inside && code === 0x7c) ||
  (!inside && (code === 0x5c || code === 0x3c || code === 0x24)) ||
  (inside && code === 0x24)
