import type { Container } from './objects.ts'
import type { Bind } from './servers.ts'

/** The container with the argument set: each place where it is written, else added at the end. */
export const withArg = (container: Container, bind: Bind, value: string): Container => {
  const command = container.command ?? []
  const args = container.args ?? []
  if (!hasArg([...command, ...args], bind)) return { ...container, args: [...args, bind.name, value] }
  const change = (words: readonly string[], before: string | undefined): string[] =>
    words.flatMap((word, i) => {
      const last = i > 0 ? words[i - 1] : before
      const asked = last !== undefined && !last.includes('=') && flagIn(last, bind)
      const now =
        flagIn(word, bind) && word.includes('=') ? `${word.slice(0, word.indexOf('='))}=${value}` : word
      if (!asked) return [now]
      // A flag where the value should be: the value was forgotten.
      return word.startsWith('--') ? [value, now] : [value]
    })
  const changed = change(args, command.at(-1))
  const end = [...command, ...args].at(-1) ?? ''
  if (!end.includes('=') && flagIn(end, bind)) changed.push(value)
  return {
    ...container,
    ...(command.length > 0 && { command: change(command, undefined) }),
    ...(changed.length > 0 && { args: changed }),
  }
}

export const hasArg = (words: readonly string[], bind: Bind): boolean =>
  words.some((word) => flagIn(word, bind))

/** The value of the last of these flags; undefined when there is none. */
export const argValue = (words: readonly string[], names: readonly string[]): string | undefined => {
  const values = words.flatMap((word, i) => {
    const next = words[i + 1]
    if (names.includes(word)) return next === undefined || next.startsWith('-') ? [] : next
    const name = names.find((name) => word.startsWith(`${name}=`))
    return name === undefined ? [] : word.slice(name.length + 1)
  })
  return values.at(-1)
}

/** Python's argparse takes `--hos` for `--host`, so a beginning counts too. */
const flagIn = (word: string, { name, aliases }: Bind): boolean => {
  const flag = word.split('=', 1)[0] ?? ''
  return (
    flag === name ||
    aliases?.includes(flag) === true ||
    (flag.startsWith('--') && flag.length >= 4 && name.startsWith(flag))
  )
}
