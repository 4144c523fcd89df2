import { argumentsOf, type Program, type Range } from './program.ts'

/** The values of a key in an object literal. */
export const entriesRanges = (program: Program, { from }: Range, key: string): readonly Range[] =>
  program.tokens[from]?.text === '{' ? argumentsOf(program, from).filter(({ name }) => name === key) : []
