import { leadsOf, withoutBackslashes, withoutReferences } from './destination.ts'
import type { Machine, Report } from './machine.ts'

const LONGEST = 2048
/** More white space than this before an address leaves; the address itself does not. */
const BLANKS = 64

interface Address {
  /** `afterword`: in parentheses behind a word that a placeholder in brackets may replace, and a `!` stands before it. */
  readonly kind: 'inline' | 'definition' | 'afterword'
  from: number
  text: string
  angle: boolean
}

interface State {
  last: number
  lineEnds: number
  /** An image may be open in this paragraph. */
  image: boolean
  depth: number
  /** False when code, tags or escapes could hide a bracket from this reading. */
  clean: boolean
  bang: boolean
  bracket: number
  address: Address | undefined
  imageByName: boolean
  named: boolean
  /** The first characters of the newest bracket's text. */
  label: string
}

/**
 * Images and links of Markdown (CommonMark 0.31, sections 4.7, 6.3 and 6.4), read so that no renderer sees an image where
 * this does not: an address that follows `![` anywhere in a paragraph counts. A reference and its definition count when the
 * second of them comes, so that a list of sources alone is nothing.
 */
export const markdownMachine = (report: Report): Machine => {
  const state: State = {
    last: 0,
    lineEnds: 0,
    image: false,
    depth: 0,
    clean: true,
    bang: false,
    bracket: -1,
    address: undefined,
    imageByName: false,
    named: false,
    label: '',
  }
  return {
    step(code, at) {
      const { address } = state
      if (address) collect(state, address, { code, at, report })
      else if (state.bracket !== -1 || isMark(code)) plain(state, { code, at, report })
      else pass(state, code)
      state.last = code
    },
    open: () => state.image || state.imageByName || state.named || state.bang,
    idle: () => state.address === undefined && state.bracket === -1,
    word(word) {
      state.last = word.charCodeAt(word.length - 1)
      state.lineEnds = 0
      if (state.label.length < PLACEHOLDER.length) {
        state.label += word.slice(0, PLACEHOLDER.length - state.label.length)
      }
    },
    end(at) {
      if (state.address) judge(state, state.address, { end: at, report })
      else if (state.bracket !== -1) byName(state, report)
    },
    held() {
      if (state.address) return state.address.from
      if (state.bracket !== -1) return state.bracket
      return Infinity
    },
  }
}

interface Unit {
  readonly code: number
  readonly at: number
  readonly report: Report
}

const plain = (state: State, { code, at, report }: Unit): void => {
  if (state.bracket !== -1) {
    const from = state.bracket
    if (code === 0x28 || code === 0x3a) {
      // An image by its name, and a colon after it.
      if (code === 0x3a) byName(state, report)
      state.bracket = -1
      state.address = open(code === 0x28 ? 'inline' : 'definition', from)
      return
    }
    byName(state, report)
    state.bracket = -1
  }
  if (code === 0x0a || code === 0x0d) {
    endLine(state, code)
    return
  }
  pass(state, code)
  if (code === 0x5b) openBracket(state)
  else if (code === 0x5d) {
    state.bracket = at
    if (state.image && state.depth > 0) state.depth--
  } else if (code === 0x21) state.bang = true
  else if (code === 0x28 && state.bang && !isBlank(state.last)) state.address = open('afterword', at)
  else if (code === 0x60 || code === 0x3c || code === 0x5c) state.clean = false
}

/** What begins or ends something. */
const isMark = (code: number): boolean =>
  code === 0x5b ||
  code === 0x5d ||
  code === 0x21 ||
  code === 0x28 ||
  code === 0x60 ||
  code === 0x3c ||
  code === 0x5c ||
  code === 0x0a ||
  code === 0x0d

const pass = (state: State, code: number): void => {
  if (code !== 0x20 && code !== 0x09) state.lineEnds = 0
  if (state.label.length < PLACEHOLDER.length) state.label += String.fromCharCode(code)
}

/** How the label of a placeholder begins: whoever defines one waits for a redaction to complete an image. */
const PLACEHOLDER = 'redacted_'

const open = (kind: Address['kind'], from: number): Address => ({ kind, from, text: '', angle: false })

const openBracket = (state: State): void => {
  state.label = ''
  if (state.image) state.depth++
  else if (state.last === 0x21 || (state.bang && !isBlank(state.last) && state.last !== 0x5d)) {
    state.image = true
    state.depth = 1
    state.clean = state.last === 0x21
  }
}

const endLine = (state: State, code: number): void => {
  if (code === 0x0a && state.last === 0x0d) return
  if (++state.lineEnds < 2) return
  state.image = false
  state.bang = false
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0d

/** An image without an address: its name is defined elsewhere, before or after. */
const byName = (state: State, report: Report): void => {
  if (!state.image) return
  state.imageByName = true
  if (state.named) report({ rule: 'markdown-image', start: state.bracket, end: state.bracket + 1, host: '' })
  closeImage(state)
}

const closeImage = (state: State): void => {
  if (state.depth === 0 && state.clean) state.image = false
}

const collect = (state: State, address: Address, { code, at, report }: Unit): void => {
  if (code === 0x28 && state.last === 0x5d) {
    // The brackets may belong together otherwise than they seemed to.
    judge(state, address, { end: at - 1, report })
    state.address = open('inline', at - 1)
    return
  }
  if (address.text === '' && (code === 0x5b || code === 0x21)) {
    // Nothing outside begins so, but an image or a definition does.
    judge(state, address, { end: at, report })
    plain(state, { code, at, report })
    return
  }
  if (code === 0x5b && state.last === 0x21) beginInAddress(state, { code, at, report })
  if (code === 0x28 && address.text.includes('!') && !isBlank(state.last)) {
    judge(state, address, { end: at, report })
    state.address = open('afterword', at)
    return
  }
  if (address.text === '' && isBlank(code)) {
    if (at - address.from > BLANKS) address.from = at
    if (code === 0x0a && ++state.lineEnds > 1) {
      state.address = undefined
      state.image = false
    }
    return
  }
  if (address.text === '' && code === 0x3c && !address.angle) {
    address.angle = true
    return
  }
  const closes = code === (address.angle ? 0x3e : 0x29) && !isEscaped(address.text)
  const ends = closes || (address.angle ? code === 0x0a : isBlank(code))
  if (!ends) address.text += String.fromCharCode(code)
  if (!ends && address.text.length < LONGEST) return
  const closed = closes && !address.angle
  judge(state, address, { end: isBlank(code) ? at : at + 1, report, closed })
}

/** What seemed to be an address holds an image: until the paragraph ends anything may belong to it. */
const beginInAddress = (state: State, { at, report }: Unit): void => {
  Object.assign(state, { image: true, depth: 1, clean: false, imageByName: true })
  if (state.named) report({ rule: 'markdown-image', start: at, end: at + 1, host: '' })
}

interface Judging {
  readonly end: number
  readonly report: Report
  /** The bracket that ends it was seen. */
  readonly closed?: boolean
}

const judge = (state: State, address: Address, { end, report, closed = false }: Judging): void => {
  state.address = undefined
  state.lineEnds = 0
  const { kind, from: start, text } = address
  const readings = [text, withoutReferences(withoutBackslashes(text))]
  const { script, hosts, carries } = leadsOf(readings, text.length >= LONGEST)
  if (script) report({ rule: 'script-url', start, end })
  for (const host of hosts) {
    if (isShown(state, kind)) report({ rule: 'markdown-image', start, end, host })
    else if (carries) report({ rule: 'link-with-data', start, end, host })
  }
  if (kind === 'definition' && hosts.length > 0) state.named = true
  if (kind === 'inline' && state.image && !(closed && readings.every(isTaken))) {
    state.imageByName = true
    if (state.named) report({ rule: 'markdown-image', start, end: start + 1, host: '' })
  }
  if (kind === 'inline') closeImage(state)
}

const isShown = ({ image, imageByName, label }: State, kind: Address['kind']): boolean => {
  if (kind === 'inline') return image
  return kind === 'afterword' || imageByName || label.toLowerCase().startsWith(PLACEHOLDER)
}

/** Every renderer takes it for an address; the name before one that is refused may be defined elsewhere. */
const isTaken = (text: string): boolean =>
  !/[<(\0-\x1f\x7f]/.test(text) && !/^\s*data:(?!image\/)/i.test(text)

/** Whether an odd number of backslashes stands at the end. */
const isEscaped = (text: string): boolean => /(?:^|[^\\])\\(?:\\\\)*$/.test(text.slice(-64))
