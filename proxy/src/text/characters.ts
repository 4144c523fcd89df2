import { LOOK } from './alphabet.ts'
import type { Run } from './run.ts'

const isLow = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

const unitAt = ({ text, base }: Run, offset: number): number => text.charCodeAt(offset - base)

/** Units of the character at an offset. */
export const widthAt = (run: Run, offset: number): number =>
  run.program.alphabet.classOf[unitAt(run, offset)] === LOOK && isLow(unitAt(run, offset + 1)) ? 2 : 1

/** Offset of the character before an offset above 0. */
export const previous = (run: Run, offset: number): number =>
  isLow(unitAt(run, offset - 1)) &&
  offset - 2 >= run.base &&
  run.program.alphabet.classOf[unitAt(run, offset - 2)] === LOOK
    ? offset - 2
    : offset - 1

export const classAt = (run: Run, offset: number): number => {
  const { alphabet } = run.program
  const unit = unitAt(run, offset)
  const cls = alphabet.classOf[unit] as number
  return cls === LOOK ? alphabet.classOfPair(run.text.codePointAt(offset - run.base) as number) : cls
}
