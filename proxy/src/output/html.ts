import { leadsOf, withoutReferences, type Leads } from './destination.ts'
import type { Machine, Report } from './machine.ts'
import { ACTIVE_ELEMENTS, ADDRESS_ATTRIBUTES, LOADING_HREF, STYLE_ATTRIBUTES } from './tag-names.ts'

const LONGEST_NAME = 64
const LONGEST_VALUE = 2048

interface State {
  mode: 'text' | 'open' | 'element' | 'gap' | 'name' | 'after name' | 'equals' | 'quoted' | 'bare'
  element: string
  attribute: string
  value: string
  /** Where the element's `<`, or the attribute, begins. */
  from: number
  quote: number
  /** The attribute was reported or does nothing: its value is of no interest. */
  settled: boolean
  /** A tag began inside a quoted value: which quotes count is anybody's guess, so none does from here on. */
  loose: boolean
}

/**
 * Elements and attributes by which HTML runs code or fetches something (WHATWG HTML, section 13.2.5). A tag is never waited
 * for as a whole: its name and each attribute are judged as soon as they are complete, and `<` always begins a new one, since
 * readers disagree about broken markup.
 */
export const htmlMachine = (report: Report): Machine => {
  const state: State = {
    mode: 'text',
    element: '',
    attribute: '',
    value: '',
    from: 0,
    quote: 0,
    settled: true,
    loose: false,
  }
  return {
    step(code, at) {
      if (state.mode === 'text' && code !== 0x3c) return
      step(state, { code, at, report })
    },
    idle: () => state.mode === 'text',
    open: () => state.mode !== 'text' || state.loose,
    word: () => undefined,
    end(at) {
      endPart(state, { end: at, report })
      state.mode = 'text'
    },
    held() {
      if (state.mode === 'open' || state.mode === 'element') return state.from
      return state.settled ? Infinity : state.from
    },
  }
}

interface Unit {
  readonly code: number
  readonly at: number
  readonly report: Report
}

const step = (state: State, unit: Unit): void => {
  const { code, at, report } = unit
  if (code === 0x3c) {
    const quoted = state.mode === 'quoted'
    if (!state.settled && state.value !== '' && isList(state.attribute)) settleAs(state, at, report)
    endPart(state, { end: at, report, cut: true })
    state.loose ||= quoted
    Object.assign(state, { mode: 'open', from: at, element: '', settled: true })
    return
  }
  switch (state.mode) {
    case 'text':
      return
    case 'open':
      if (isLetter(code)) Object.assign(state, { mode: 'element', element: lower(code) })
      else state.mode = state.loose ? 'gap' : 'text'
      return
    case 'element':
      if (isSpace(code) || code === 0x2f || code === 0x3e) {
        endPart(state, { end: at, report })
        state.mode = code === 0x3e && !state.loose ? 'text' : 'gap'
      } else if (state.element.length < LONGEST_NAME) state.element += lower(code)
      else state.mode = 'gap'
      return
    default:
      inTag(state, unit)
  }
}

const inTag = (state: State, { code, at, report }: Unit): void => {
  switch (state.mode) {
    case 'gap':
      if (code === 0x3e && !state.loose) state.mode = 'text'
      else if (!isSeparator(state, code)) begin(state, code, at)
      return
    case 'name':
      if (code === 0x3d) state.mode = 'equals'
      else if (isSpace(code)) state.mode = 'after name'
      else if (isSeparator(state, code) || code === 0x3e) leave(state, { code, at, report })
      else if (state.attribute.length < LONGEST_NAME) state.attribute += lower(code)
      else Object.assign(state, { settled: true })
      if (!mayMatter(state.attribute)) state.settled = true
      return
    case 'after name':
      if (code === 0x3d) state.mode = 'equals'
      else if (!isSpace(code)) {
        leave(state, { code, at, report })
        if (code !== 0x3e && !isSeparator(state, code)) begin(state, code, at)
      }
      return
    case 'equals':
      state.settled ||= !matters(state.attribute)
      if (isSpace(code) || (state.loose && isQuote(code))) return
      if (isQuote(code)) Object.assign(state, { mode: 'quoted', quote: code })
      else if (code === 0x3e) leave(state, { code, at, report })
      else {
        state.mode = 'bare'
        add(state, { code, at, report })
      }
      return
    case 'quoted':
      if (code === state.quote) {
        endPart(state, { end: at + 1, report })
        state.mode = 'gap'
      } else add(state, { code, at, report })
      return
    case 'bare':
      if (isQuote(code) && state.value === '\\') {
        // HTML in a string of JSON: which quotes count is anybody's guess here too.
        Object.assign(state, { loose: true, mode: 'equals', value: '' })
      } else if (state.loose && code === 0x3d && isName(state.value)) rename(state, { code, at, report })
      else if (isSpace(code) || code === 0x3e || (state.loose && isQuote(code)))
        leave(state, { code, at, report })
      else add(state, { code, at, report })
      return
    default:
  }
}

const begin = (state: State, code: number, at: number): void => {
  Object.assign(state, { mode: 'name', attribute: lower(code), value: '', from: at, settled: false })
  if (!mayMatter(state.attribute)) state.settled = true
}

const leave = (state: State, { code, at, report }: Unit): void => {
  // In quotes a line end or a tab is no end.
  endPart(state, { end: at, report, cut: state.loose && isSpace(code) && code !== 0x20 })
  state.mode = code === 0x3e && !state.loose ? 'text' : 'gap'
}

/** Where quotes say nothing, what seemed to be a value may be the name of the next attribute. */
const rename = (state: State, { at, report }: Unit): void => {
  const attribute = state.value.toLowerCase()
  endPart(state, { end: at, report })
  // Its name may have left already.
  Object.assign(state, { mode: 'equals', attribute, value: '', from: at, settled: !matters(attribute) })
}

const add = (state: State, { code, at, report }: Unit): void => {
  if (state.settled && !state.loose) return
  state.value += String.fromCharCode(code)
  if (state.value.length < LONGEST_VALUE) return
  if (state.settled) state.value = '-'
  else if (isList(state.attribute)) settleAs(state, at + 1, report)
  else endPart(state, { end: at + 1, report, cut: true })
}

interface Ending {
  readonly end: number
  readonly report: Report
  /** More of the value may follow. */
  readonly cut?: boolean
}

/** What ends here is judged. */
const endPart = (state: State, { end, report, cut }: Ending): void => {
  const { mode, element, from: start } = state
  if (mode === 'element') {
    if (ACTIVE_ELEMENTS.has(localName(element))) report({ rule: 'html-script', start, end })
    return
  }
  if (state.settled) return
  state.settled = true
  if (mode === 'text' || mode === 'open' || mode === 'gap') return
  const { attribute, value } = state
  if (isHandler(attribute) && mode !== 'name' && mode !== 'after name')
    report({ rule: 'html-script', start, end })
  else if (attribute === 'srcdoc' || attribute === 'http-equiv') report({ rule: 'html-script', start, end })
  else if (state.loose && isList(attribute) && value !== '')
    report({ rule: 'html-resource', start, end, host: '' })
  else if (matters(attribute)) {
    reportAddress(state, leadsOf(addressesIn(attribute, value), cut), { start, end, report })
  }
}

const reportAddress = (
  { element, attribute }: State,
  { script, hosts, carries }: Leads,
  { start, end, report }: { start: number; end: number; report: Report },
): void => {
  if (script) report({ rule: 'script-url', start, end })
  const loads = attribute !== 'href' || LOADING_HREF.has(localName(element))
  for (const host of hosts) {
    if (loads) report({ rule: 'html-resource', start, end, host })
    else if (carries) report({ rule: 'link-with-data', start, end, host })
  }
}

const settleAs = (state: State, end: number, report: Report): void => {
  report({ rule: 'html-resource', start: state.from, end, host: '' })
  state.settled = true
}

/** Attributes that hold several addresses, or addresses among other things. */
const isList = (attribute: string): boolean => STYLE_ATTRIBUTES.has(attribute) || LISTS.has(attribute)

const LISTS: ReadonlySet<string> = new Set(['srcset', 'imagesrcset', 'values', 'ping', 'attributionsrc'])

const addressesIn = (attribute: string, value: string): readonly string[] => {
  const readings = [value, withoutReferences(value)]
  if (STYLE_ATTRIBUTES.has(attribute)) return readings.flatMap(inStyle)
  if (!isList(attribute)) return readings
  return readings.flatMap((text) => [text, ...text.split(/\s+/), ...text.split(/[\s,;]+/)])
}

/** Escapes and comments can spell anything: with them no address can be told. */
const inStyle = (text: string): readonly string[] => {
  const style = text.toLowerCase()
  if (/\\|\/\*/.test(style)) return ['//unreadable.invalid']
  if (style.includes('expression(') || style.includes('-moz-binding')) return ['javascript:']
  const given = style
    .split(/url\(|src\(|@import/)
    .slice(1)
    .map(argumentIn)
  // Of several images in one function each may be chosen.
  return /image-set\(|image\(|cross-fade\(/.test(style) ? [...given, ...style.split(/["']/).slice(1)] : given
}

/** A string to its own quote, whatever is in it; else to the first blank or bracket. */
const argumentIn = (part: string): string => {
  const text = part.trimStart()
  const quote = text[0] ?? ''
  return (
    (quote === '"' || quote === "'" ? text.slice(1).split(quote, 1)[0] : text.split(/["')\s]/, 1)[0]) ?? ''
  )
}

const localName = (name: string): string => name.slice(name.lastIndexOf(':') + 1)

const isName = (value: string): boolean => value.length <= LONGEST_NAME && /^[a-z][a-z:-]*$/i.test(value)

const isHandler = (attribute: string): boolean => /^on[a-z]{3}/.test(attribute)

const matters = (attribute: string): boolean =>
  isHandler(attribute) ||
  ADDRESS_ATTRIBUTES.has(attribute) ||
  STYLE_ATTRIBUTES.has(attribute) ||
  attribute === 'srcdoc' ||
  attribute === 'http-equiv'

/** False as soon as the attribute cannot become one that matters, so that nothing waits for it. */
const mayMatter = (attribute: string): boolean =>
  attribute.startsWith('on') || 'on'.startsWith(attribute) || beginnings.has(attribute)

const beginnings: ReadonlySet<string> = new Set(
  [...ADDRESS_ATTRIBUTES, ...STYLE_ATTRIBUTES, 'srcdoc', 'http-equiv'].flatMap((name) =>
    Array.from(name, (_, length) => name.slice(0, length + 1)),
  ),
)

const isSeparator = ({ loose }: State, code: number): boolean =>
  isSpace(code) || code === 0x2f || (loose && (isQuote(code) || code === 0x3e))

const isQuote = (code: number): boolean => code === 0x22 || code === 0x27

const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d && code !== 0x0b)

const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a

const lower = (code: number): string => String.fromCharCode(code >= 0x41 && code <= 0x5a ? code | 0x20 : code)
