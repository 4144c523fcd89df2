/** Where the units of a decoded text came from. */
export interface OffsetMap {
  /** The next `length` units of the decoded text are as many units of the source. */
  copied(length: number): void
  decoded(part: Decoded): void
  /** Source offset where the unit at a decoded offset begins. */
  start(decoded: number): number
  /** Source offset where the unit before a decoded offset ends. */
  end(decoded: number): number
  /** How units of a range, or what hides its beginning, were decoded, first of all what left some out; undefined when it is in the source as it is. */
  code(from: number, to: number): string | undefined
}

/** The next `length` units of the decoded text stand for `width` units of the source. */
export interface Decoded {
  readonly length: number
  readonly width: number
  /** How: an evidence code. */
  readonly code: string
  /** Whether the source ends in a letter or digit, which hides that a word begins behind it. */
  readonly hides: boolean
}

/** Decoded units that are remembered: more than any finding that is still to come can reach back. */
const REMEMBERED = 8192

interface Segment {
  readonly decoded: number
  readonly source: number
  length: number
  width: number
  /** Undefined when copied. */
  readonly code: string | undefined
  readonly hides: boolean
}

/** A map that begins as the identity up to `offset`, where the source is at `source`. */
export const offsetMap = (offset: number, source: number): OffsetMap => {
  const before = {
    decoded: 0,
    source: source - offset,
    length: offset,
    width: offset,
    code: undefined,
    hides: false,
  }
  const map: Mapped = { segments: offset === 0 ? [] : [before], decoded: offset, source }
  return {
    copied: (length) => {
      const last = map.segments.at(-1)
      if (last !== undefined && last.code === undefined) {
        last.length += length
        last.width += length
        map.decoded += length
        map.source += length
      } else append(map, { length, width: length, code: undefined, hides: false })
    },
    decoded: (part) => append(map, part),
    start: (decoded) => {
      const segment = decoded < map.decoded ? map.segments[placeOf(map, decoded)] : undefined
      if (segment === undefined) return map.source
      return segment.code === undefined ? segment.source + decoded - segment.decoded : segment.source
    },
    end: (decoded) => {
      const segment = map.segments[placeOf(map, decoded - 1)]
      if (segment === undefined) return map.source
      return segment.code === undefined
        ? segment.source + decoded - segment.decoded
        : segment.source + segment.width
    },
    code: (from, to) => codeOf(map, from, to),
  }
}

interface Mapped {
  segments: Segment[]
  /** Ends of both texts. */
  decoded: number
  source: number
}

const append = (map: Mapped, part: Pick<Segment, 'length' | 'width' | 'code' | 'hides'>): void => {
  map.segments.push({ decoded: map.decoded, source: map.source, ...part })
  map.decoded += part.length
  map.source += part.width
  if (map.segments.length <= 2 * REMEMBERED) return
  // What stands for nothing never makes the decoded text longer, so segments are counted too.
  const oldest = map.decoded - REMEMBERED
  const last = map.segments.length - REMEMBERED
  map.segments = map.segments.slice(
    Math.max(
      last,
      map.segments.findIndex(({ decoded, length }) => decoded + length > oldest),
    ),
  )
}

/** The last segment that begins at or before an offset. */
const placeOf = ({ segments }: Mapped, decoded: number): number => {
  let low = 0
  let high = segments.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((segments[middle] as Segment).decoded <= decoded) low = middle
    else high = middle - 1
  }
  return low
}

const codeOf = (map: Mapped, from: number, to: number): string | undefined => {
  let last: string | undefined
  for (let at = Math.min(placeOf(map, to), map.segments.length - 1); at >= 0; at--) {
    const { decoded, length, code, hides } = map.segments[at] as Segment
    if (decoded + length < from) break
    if (code === undefined || decoded >= to || !(hides || decoded + length > from)) continue
    if (length === 0) return code
    last ??= code
  }
  return last
}
