import { posix } from 'node:path'
import { createFlow, type Flow, type Links } from './flow.ts'
import { parseProgram } from './program.ts'
import type { Source } from './source.ts'

/** Source text of files that are kept parsed, in characters: a parsed file takes about thirty times its length. */
const MOST_KEPT = 4 << 20

export interface LinksOptions {
  readonly paths: readonly string[]
  readonly read: (path: string) => Source | undefined
}

/** Files are parsed when a prompt first leads to them; those used longest ago are forgotten. */
export const createLinks = ({ paths, read }: LinksOptions): Links => {
  const known = new Set(paths.map((path) => posix.normalize(path.replaceAll('\\', '/'))))
  const written = new Map(paths.map((path) => [posix.normalize(path.replaceAll('\\', '/')), path]))
  const kept = new Map<string, Flow | undefined>()
  let size = 0
  const flowAt = (path: string): Flow | undefined => {
    if (kept.has(path)) return kept.get(path)
    kept.set(path, undefined)
    const flow = parsed(read(written.get(path) ?? path), links)
    size += flow?.program.source.text.length ?? 0
    for (const [old, other] of kept) {
      if (size <= MOST_KEPT) break
      size -= other?.program.source.text.length ?? 0
      kept.delete(old)
    }
    kept.set(path, flow)
    return flow
  }
  const links: Links = {
    flowOf: (module, from) => {
      const path = candidates(module, posix.normalize(from)).find((one) => known.has(one))
      return path === undefined || path === posix.normalize(from) ? undefined : flowAt(path)
    },
  }
  return links
}

const parsed = (source: Source | undefined, links: Links): Flow | undefined => {
  if (source === undefined || (source.language !== 'python' && source.language !== 'typescript'))
    return undefined
  try {
    return createFlow(parseProgram(source), links)
  } catch {
    return undefined
  }
}

const ENDINGS = ['.ts', '.tsx', '.js', '.mjs', '.jsx', '.mts', '/index.ts', '/index.js', '/index.tsx']
/** Folders above a file in which a package of its own may lie. */
const MOST_FOLDERS = 12

const candidates = (module: string, from: string): readonly string[] => {
  const folder = posix.dirname(from)
  if (from.endsWith('.py')) return pythonFiles(module, folder)
  if (module.startsWith('.')) return typescriptFiles(posix.join(folder, module))
  const alias = /^[@~]\/(.+)$/.exec(module)?.[1]
  if (alias === undefined) return []
  return above(folder).flatMap((one) =>
    [one, posix.join(one, 'src')].flatMap((root) => typescriptFiles(posix.join(root, alias))),
  )
}

const typescriptFiles = (path: string): readonly string[] => {
  const bare = path.replace(/\.[mc]?[jt]sx?$/, '')
  return [path, ...ENDINGS.map((ending) => bare + ending)]
}

const pythonFiles = (module: string, folder: string): readonly string[] => {
  const dots = /^\.*/.exec(module)?.[0].length ?? 0
  const names = module
    .slice(dots)
    .split('.')
    .filter((name) => name !== '')
  const inside = (root: string): readonly string[] => {
    const path = posix.join(root, ...names)
    return [`${path}.py`, posix.join(path, '__init__.py')]
  }
  if (dots > 0)
    return inside(posix.join(folder, ...Array.from({ length: Math.min(dots - 1, 20) }, () => '..')))
  return above(folder).flatMap(inside)
}

/** A folder and those above it, the nearest first. */
const above = (folder: string): readonly string[] => {
  const found = [folder]
  for (let at = folder; found.length < MOST_FOLDERS && at !== posix.dirname(at); at = posix.dirname(at))
    found.push(posix.dirname(at))
  return found
}
