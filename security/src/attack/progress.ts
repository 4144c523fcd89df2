import type { Io } from '../command.ts'
import type { Attempt } from './attempt.ts'

export interface Progress {
  readonly tick: (attempt: Attempt) => void
  readonly end: () => void
}

const WIDTH = 28
const NOTHING: Progress = { tick: () => undefined, end: () => undefined }

/** A bar on a terminal; silence elsewhere, so that logs of CI stay short. */
export const progressBar = (io: Io, title: string, total: number): Progress => {
  if (!io.terminal || total === 0) return NOTHING
  let done = 0
  let through = 0
  const draw = (): void => {
    const full = Math.round((WIDTH * done) / total)
    io.err(
      `\r${title.padEnd(9)} ${'█'.repeat(full)}${'░'.repeat(WIDTH - full)} ${done}/${total}, ${through} got through `,
    )
  }
  return {
    tick: ({ verdict }) => {
      done += 1
      if (verdict === 'succeeded') through += 1
      draw()
    },
    end: () => io.err('\n'),
  }
}
