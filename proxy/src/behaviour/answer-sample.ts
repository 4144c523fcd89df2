import type { AnswerSample, CalledTool } from '../core/behaviour.ts'
import { declines } from './declines.ts'
import { entropySum } from './entropy.ts'
import { LANGUAGE_SAMPLE, languageOf } from './language.ts'

/** Of one answer; more are counted, not kept. */
const MOST_TOOLS = 64
const MOST_ARGUMENTS = 64

/** Keeps the opening of the first choice, sums and names; what it holds does not grow with the answer. */
export const answerSample = (): AnswerSample => {
  const entropy = entropySum()
  const called: CalledTool[] = []
  let opening = ''
  let first: number | undefined
  let characters = 0
  return {
    text: (piece, choice) => {
      characters += piece.length
      first ??= choice
      if (choice === first && opening.length < LANGUAGE_SAMPLE)
        opening += piece.slice(0, LANGUAGE_SAMPLE - opening.length)
    },
    tokens: (tokens) => entropy.take(tokens),
    tool: (name, argumentNames) => {
      if (called.length < MOST_TOOLS) called.push({ name, arguments: argumentNames.slice(0, MOST_ARGUMENTS) })
    },
    facts: () => ({
      characters,
      entropy: entropy.stats(),
      language: languageOf(opening),
      declined: declines(opening),
      called,
    }),
  }
}
