import { analyse } from './analyse.ts'
import { resultsOf, type Result } from './result.ts'
import { suppress } from './suppress.ts'
import { readSource, walk } from './walk.ts'

export interface LintOptions {
  readonly exclude: readonly string[]
  readonly maxFiles: number
}

export interface Linted {
  readonly files: number
  readonly results: readonly Result[]
  /** Files that could not be judged, and why. */
  readonly skipped: readonly { readonly path: string; readonly why: string }[]
}

const MAX_BYTES = 1 << 20

/** Every finding under the paths. Throws an Error for a path that is not there. */
export const lint = (paths: readonly string[], options: LintOptions): Linted => {
  const walked = walk(paths, { ...options, maxBytes: MAX_BYTES })
  const skipped = [...walked.skipped]
  const results = walked.files.flatMap((path): readonly Result[] => {
    const source = readSource(path)
    if (source === undefined) {
      skipped.push({ path, why: 'not UTF-8 text' })
      return []
    }
    try {
      return resultsOf(source, suppress(source.text, analyse(source)))
    } catch (error) {
      skipped.push({
        path,
        why: `not understood: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'unknown'}`,
      })
      return []
    }
  })
  return { files: walked.files.length, results, skipped }
}
