import { BASE32, BASE32_SMALL, BASE64, HEX } from './encodings.ts'
import type { DecodingReader } from './reader.ts'
import { firstRun, runReader, type RunReaderOptions } from './run-reader.ts'

/** Reads runs of every encoding. What cannot be a run of any is looked at once for all of them. */
export const runReaders = (options: Omit<RunReaderOptions, 'encoding'>): DecodingReader => {
  const all = [BASE64, HEX, BASE32, BASE32_SMALL].map((encoding) => runReader({ ...options, encoding }))
  return {
    push: (piece) => {
      const from = all.every((reader) => reader.isOutside()) ? firstRun(piece) : 0
      if (from > 0) for (const reader of all) reader.skip(from)
      if (from === piece.length) return
      const rest = from === 0 ? piece : piece.slice(from)
      for (const reader of all) reader.push(rest)
    },
    end: () => all.forEach((reader) => reader.end()),
    cleared: () => all.reduce((least, reader) => Math.min(least, reader.cleared()), Infinity),
    isIdle: () => all.every((reader) => reader.isIdle()),
    take: () => all.flatMap((reader) => reader.take()),
  }
}
