import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, extname, join } from 'node:path'
import type { Language, Source } from './source.ts'
import { wordsOf } from './trust.ts'

const LANGUAGES: Readonly<Record<string, Language>> = {
  '.py': 'python',
  '.ipynb': 'notebook',
  ...Object.fromEntries(
    ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs'].map((one) => [one, 'typescript'] as const),
  ),
  '.yaml': 'yaml',
  '.yml': 'yaml',
  '.json': 'json',
  ...Object.fromEntries(
    ['.md', '.txt', '.j2', '.jinja', '.jinja2', '.prompt', '.prompty', '.mustache', '.hbs', '.tmpl'].map(
      (one) => [one, 'text'] as const,
    ),
  ),
}
const SKIPPED = new Set(
  'node_modules .git dist build vendor __pycache__ .venv venv site-packages coverage .next .cache .tox target third_party .mypy_cache generated'.split(
    ' ',
  ),
)

export interface WalkOptions {
  readonly exclude: readonly string[]
  readonly maxFiles: number
  readonly maxBytes: number
}

export interface Walked {
  readonly files: readonly string[]
  readonly skipped: readonly Skipped[]
}

interface Skipped {
  readonly path: string
  readonly why: string
}

/**
 * The files under paths that can hold prompts, sorted. Links are not followed. A path that is a file is always taken.
 * Throws an Error when a path cannot be read or there are more files than `maxFiles`.
 */
export const walk = (paths: readonly string[], options: WalkOptions): Walked => {
  const files = new Set<string>()
  const skipped: Skipped[] = []
  const visit = (path: string, isGiven: boolean): void => {
    const stat = isGiven ? statSync(path) : lstatSync(path)
    if (stat.isDirectory()) {
      for (const name of readdirSync(path).sort())
        if (!SKIPPED.has(name) && !options.exclude.includes(name)) visit(join(path, name), false)
      return
    }
    if (isGiven && !stat.isFile()) throw new Error(`${path} is no file and no folder`)
    if (!stat.isFile() || (!isGiven && !isCandidate(path))) return
    const limit = extname(path) === '.ipynb' ? 8 * options.maxBytes : options.maxBytes
    if (stat.size > limit) skipped.push({ path, why: `larger than ${limit} bytes` })
    else files.add(path)
    if (files.size > options.maxFiles)
      throw new Error(`there are more than ${options.maxFiles} files; name fewer folders`)
  }
  for (const path of paths) visit(path, true)
  return { files: [...files], skipped }
}

/** Undefined when it is not UTF-8 text. */
export const readSource = (path: string): Source | undefined => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path))
    return { path: path.replaceAll('\\', '/'), language: languageOf(path), text }
  } catch {
    return undefined
  }
}

const languageOf = (path: string): Language => LANGUAGES[extname(path).toLowerCase()] ?? 'text'

const AGENT_FILES = [
  'AGENTS.md',
  'CLAUDE.md',
  'GEMINI.md',
  'copilot-instructions.md',
  '.cursorrules',
  '.windsurfrules',
]
const LOCKS = ['package-lock.json', 'tsconfig.json', 'yarn.lock', 'pnpm-lock.yaml', 'composer.lock']

/** Code and data always; Markdown, text and templates only where the name says prompt. */
const isCandidate = (path: string): boolean => {
  const name = basename(path).toLowerCase()
  if (AGENT_FILES.includes(basename(path))) return true
  const language = LANGUAGES[extname(name)]
  if (language === undefined || LOCKS.includes(name) || name.endsWith('.min.js') || name.endsWith('.d.ts'))
    return false
  if (language !== 'text') return true
  if (['.prompt', '.prompty'].includes(extname(name))) return true
  const folders = path.toLowerCase().split(/[/\\]/).slice(0, -1)
  const last = wordsOf(name.slice(0, -extname(name).length)).at(-1) ?? ''
  const isReadme = name.startsWith('readme')
  return (
    !isReadme &&
    (folders.at(-1) === 'prompts' ||
      ['prompt', 'prompts', 'instructions', 'persona'].includes(last) ||
      /^system([_-]message)?\./.test(name))
  )
}
