import { readFileSync } from 'node:fs'
import { report, type Node } from './read.ts'

/** A package that is shipped under terms that nobody allowed. */
export interface Unlicensed {
  readonly package: string
  readonly version: string
  /** As the lock file has it; empty when it has none. */
  readonly licence: string
}

/**
 * SPDX identifiers that a proprietary product may ship with a notice. MPL-2.0 asks for the source of its own files only, which npm packages
 * carry. Copyleft that reaches further (GPL, AGPL, SSPL) is left out, and so is what nobody has read.
 */
export const ALLOWED: ReadonlySet<string> = new Set([
  ...['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BSL-1.0', 'CC-BY-4.0'],
  ...['CC0-1.0', 'ISC', 'MIT', 'MIT-0', 'MPL-2.0', 'PSF-2.0', 'Python-2.0', 'Unlicense', 'Zlib'],
  'Public Domain',
])

/** How many packages an npm lock file of version 2 or 3 ships, and those of them whose licence is not allowed. */
export const licencesOf = (
  file: string,
): { readonly shipped: number; readonly wrong: readonly Unlicensed[] } => {
  const packages = report(readFileSync(file, 'utf8'), file, 'packages')
    .at('packages')
    .entries()
    .filter(([path, entry]) => path.includes('node_modules/') && isShipped(entry))
  const wrong = packages.flatMap(([path, entry]) => {
    const licence = licenceOf(entry.at('license'))
    return licence !== '' && allows(licence)
      ? []
      : [{ package: nameOf(path), version: entry.at('version').text() ?? '', licence }]
  })
  return { shipped: packages.length, wrong }
}

const MAX_EXPRESSION = 500 // characters; the longest in use are below 100

const isShipped = (entry: Node): boolean => entry.at('dev').value !== true && entry.at('link').value !== true

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 13)

/** Old packages write `{type}` or a list of them, of which one may choose. */
const licenceOf = (licence: Node): string =>
  licence.text() ??
  licence.at('type').text() ??
  licence
    .list()
    .map((each) => each.text() ?? each.at('type').text() ?? '')
    .join(' OR ')

/** An SPDX expression: of OR one must be allowed, of AND all. A term that is not understood is not allowed. */
const allows = (expression: string): boolean => {
  if (ALLOWED.has(expression)) return true
  if (expression.length > MAX_EXPRESSION) return false
  const tokens = expression.match(/\(|\)|[^\s()]+/g) ?? []
  let at = 0
  const term = (): boolean => {
    const token = tokens[at++]
    if (token !== '(') return token !== undefined && ALLOWED.has(token)
    const inner = any()
    return tokens[at++] === ')' && inner
  }
  const all = (): boolean => {
    let good = term()
    while (tokens[at] === 'AND') {
      at += 1
      good = term() && good
    }
    return good
  }
  const any = (): boolean => {
    let good = all()
    while (tokens[at] === 'OR') {
      at += 1
      good = all() || good
    }
    return good
  }
  const good = any()
  return good && at === tokens.length
}
