import type { Container } from './objects.ts'
import { modelServers, type ModelServer } from './servers.ts'

/** What is known about the program of a container from its image name, command and arguments. */
export interface Program {
  readonly server: ModelServer | undefined
  /** A shell gets the command line as one text, which cannot be changed safely. */
  readonly script: string | undefined
  /** `args` are arguments of the server, or can be made so. */
  readonly argsReachServer: boolean
}

const SHELLS = ['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh']

export const programOf = (container: Container): Program => {
  const words = commandLine(container)
  const script = scriptIn(words)
  if (script !== undefined) {
    return { server: serverIn(script.split(/[\s;&|()"'=]+/)), script, argsReachServer: false }
  }
  const byCommand = serverIn(words)
  if (byCommand) return { server: byCommand, script, argsReachServer: true }
  const ownEntrypoint = (container.command ?? []).length === 0
  const byImage = ownEntrypoint ? serverOfImage(container.image ?? '') : undefined
  return {
    server: byImage,
    script,
    // Arguments in the manifest take the place of the image's own, so without any written there is nothing to add to.
    argsReachServer: byImage !== undefined || words.length > 0,
  }
}

export const commandLine = ({ command, args }: Container): readonly string[] => [
  ...(command ?? []),
  ...(args ?? []),
]

const scriptIn = (words: readonly string[]): string | undefined => {
  const shell = words.findIndex((word) => SHELLS.includes(baseName(word)))
  if (shell < 0) return undefined
  return words.slice(shell + 1).join(' ')
}

const serverIn = (words: readonly string[]): ModelServer | undefined =>
  modelServers.find(({ commands }) =>
    commands.some((command) =>
      words.some((_, at) =>
        command.every((part, i) => {
          const word = words[at + i]
          return word !== undefined && (i === 0 ? baseName(word) : word) === part
        }),
      ),
    ),
  )

const serverOfImage = (image: string): ModelServer | undefined => {
  const last = imageName(image)
  return modelServers.find(({ images }) =>
    images.some((name) => last === name || last.startsWith(`${name}-`)),
  )
}

/** `registry:5000/a/b:tag@sha256:...` is `b`. */
const imageName = (image: string): string =>
  (baseName(image.split('@')[0] ?? '').split(':')[0] ?? '').toLowerCase()

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
