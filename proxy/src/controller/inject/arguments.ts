import type { Container } from './objects.ts'
import type { Bind } from './servers.ts'

/** The container with the argument set: each place where it is written, else added at the end. */
export const withArg = (container: Container, bind: Bind, value: string): Container => {
  const command = container.command ?? []
  const args = container.args ?? []
  const words = [...command, ...args]
  if (!hasArg(words, bind)) return { ...container, args: [...args, bind.name, value] }
  // A flag may end `command` with its value first in `args`, so the two are changed as one list.
  const changed = words.flatMap((word, i) => {
    if (flagIn(word, bind)) {
      if (word.includes('=')) return [`${word.slice(0, word.indexOf('='))}=${value}`]
      return i + 1 < words.length ? [word] : [word, value]
    }
    const before = words[i - 1]
    return before !== undefined && !before.includes('=') && flagIn(before, bind) ? [value] : [word]
  })
  return {
    ...container,
    ...(command.length > 0 && { command: changed.slice(0, command.length) }),
    ...(changed.length > command.length && { args: changed.slice(command.length) }),
  }
}

export const hasArg = (words: readonly string[], bind: Bind): boolean =>
  words.some((word) => flagIn(word, bind))

/** The value of the last of these flags; undefined when there is none. */
export const argValue = (words: readonly string[], names: readonly string[]): string | undefined => {
  const values = words.flatMap((word, i) => {
    if (names.includes(word)) return words[i + 1] ?? []
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
