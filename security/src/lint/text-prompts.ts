import { guessSyntax, withHoles } from './holes.ts'
import type { Prompt, PromptRole } from './prompt.ts'

const ROLES: Readonly<Record<string, PromptRole>> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  human: 'user',
  assistant: 'assistant',
}

/** `instructions` are read by an agent as they are: AGENTS.md and its like. */
export type TextKind = 'template' | 'system' | 'instructions'

/**
 * A file that is a prompt: `.j2`, `.prompt`, `.prompty`, Markdown or text. Lines `system:` and `user:`, and dotprompt's
 * `{{role "system"}}`, begin messages; front matter declares `inputs`.
 */
export const textPrompts = (text: string, kind: TextKind): readonly Prompt[] => {
  const front = frontMatterEnd(text)
  const sections = sectionsOf(text, front, kind === 'template' ? 'template' : 'system')
  return sections.flatMap(({ role, start, end }): readonly Prompt[] => {
    const body = text.slice(start, end)
    if (body.trim() === '') return []
    const whole = [{ kind: 'text' as const, text: body, start }]
    // Braces in a file that an agent reads as it is are code, not holes.
    if (kind === 'instructions') return [{ role, pieces: whole }]
    return [{ role, pieces: withHoles([{ kind: 'text', text: body, start }], guessSyntax(body)) }]
  })
}

/** Where the text after `---` … `---` begins. */
export const frontMatterEnd = (text: string): number => {
  if (!/^---\r?\n/.test(text)) return 0
  const close = text.indexOf('\n---', 3)
  if (close < 0) return 0
  const end = text.indexOf('\n', close + 1)
  return end < 0 ? text.length : end + 1
}

interface Section {
  readonly role: PromptRole
  readonly start: number
  readonly end: number
}

const sectionsOf = (text: string, from: number, first: PromptRole): readonly Section[] => {
  const sections: Section[] = []
  let role = first
  let start = from
  for (let at = from; at < text.length;) {
    const stop = text.indexOf('\n', at)
    const end = stop < 0 ? text.length : stop
    const next = roleOfLine(text.slice(at, Math.min(end, at + 60)))
    if (next !== undefined) {
      sections.push({ role, start, end: at })
      role = next
      start = end
    }
    at = end + 1
  }
  return [...sections, { role, start, end: text.length }]
}

const roleOfLine = (line: string): PromptRole | undefined => {
  const match = /^(?:#{0,3} ?)?(system|developer|user|human|assistant):\s*$|^\{\{ ?role "(\w+)" ?\}\}/i.exec(
    line,
  )
  return match === null ? undefined : ROLES[(match[1] ?? match[2] ?? '').toLowerCase()]
}
