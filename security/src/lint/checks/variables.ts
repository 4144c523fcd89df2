import type { Finding } from '../finding.ts'
import { variableOf } from '../holes.ts'
import { flatten, type Prompt } from '../prompt.ts'

/** Declared and used variables of one template, where something declares them. Loops and blocks may declare their own. */
export const checkVariables = (prompt: Prompt): readonly Finding[] => {
  const { declared } = prompt
  if (declared === undefined) return []
  // A template of another file reaches this one filled or renamed, so its variables are not what is declared here.
  if (prompt.pieces.some(({ path }) => path !== undefined)) return []
  const flat = flatten(prompt)
  if (flat.text.includes('{%') || flat.text.includes('{{#')) return []
  const used = prompt.pieces.flatMap((piece) =>
    piece.kind === 'hole' && (piece.trust === undefined || piece.asked !== undefined)
      ? [{ ...piece, name: variableOf(piece.asked ?? piece.expression) }]
      : [],
  )
  const undeclared = used.filter(
    ({ name }, index) =>
      name !== '' && !declared.includes(name) && used.findIndex((one) => one.name === name) === index,
  )
  const isWhole = !prompt.pieces.some((piece) => piece.kind === 'hole' && piece.isCode === true)
  const unused = declared.filter((name) => isWhole && !used.some((one) => one.name === name))
  return [
    ...undeclared.map(({ name, start, end }) => ({
      rule: 'undeclared-variable' as const,
      message: `${name} is used here and nothing declares it${declared.length > 0 ? `; declared: ${declared.slice(0, 8).join(', ')}` : ''}.`,
      start,
      end,
    })),
    ...unused.map((name) => ({
      rule: 'unused-variable' as const,
      message: `${name} is declared and this template does not use it.`,
      start: flat.at(0),
      end: flat.at(0) + 1,
    })),
  ]
}
