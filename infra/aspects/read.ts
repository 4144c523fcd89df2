import type { Attributes } from './visit.ts'

/** Blocks at a path, whether Terraform writes one as an object or as a list; `['vpc_config', 'ebs']` walks through both. */
export const blocks = (attributes: Attributes, ...path: readonly string[]): readonly Attributes[] =>
  path.reduce<readonly Attributes[]>(
    (found, name) => found.flatMap((block) => listed(block[name])).filter(isBlock),
    [attributes],
  )

/** A value at a path, from the first block that has it. */
export const value = (attributes: Attributes, ...path: readonly string[]): unknown => {
  const name = path.at(-1)
  if (name === undefined) return attributes
  return blocks(attributes, ...path.slice(0, -1)).find((block) => block[name] !== undefined)?.[name]
}

/** A reference or a text that says something. */
export const given = (found: unknown): boolean =>
  typeof found === 'string' && found.trim() !== '' && settled(found)

/**
 * Whether a text says now what it will be when it is applied: it has nothing of Terraform's in it but plain references to attributes of
 * resources. `${null}`, `${var.x}` and functions say nothing yet.
 */
export const settled = (text: string): boolean =>
  !/[$%]\{/.test(text.replaceAll(/\$\$\{|%%\{/g, '').replaceAll(REFERENCE, ''))

const REFERENCE = /\$\{(data\.)?[a-z][a-z0-9]*_[a-z0-9_]+\.[A-Za-z][\w-]*(\.[a-z]\w*|\[\d+\])+\}/g

/** All of a list, or the one value. */
export const listed = (found: unknown): readonly unknown[] =>
  found === undefined || found === null ? [] : Array.isArray(found) ? (found as unknown[]) : [found]

const isBlock = (found: unknown): found is Attributes =>
  typeof found === 'object' && found !== null && !Array.isArray(found)
