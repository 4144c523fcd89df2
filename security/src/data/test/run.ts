import { command } from '../command.ts'

/** Runs `postern-sec data`; what it says on both outputs, together. */
export const data = async (...args: readonly string[]): Promise<{ code: number; out: string }> => {
  let out = ''
  const say = (text: string): void => void (out += text)
  const code = await command.run(args, { out: say, err: say, terminal: false })
  return { code, out }
}
