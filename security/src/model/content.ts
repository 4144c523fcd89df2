import { constants } from 'node:fs'
import { open } from 'node:fs/promises'

export interface Limited {
  /** Of what, for the message. */
  readonly what: string
  /** Bytes. */
  readonly most: number
}

/** The text of a file. Throws an Error that says what to do when there is none, when it is too large, or when it is no regular file. */
export const contentOf = async (file: string, { what, most }: Limited): Promise<string> => {
  // A named pipe would keep the pod waiting without a word.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    throw new Error(
      (cause as NodeJS.ErrnoException).code === 'ENOENT'
        ? `there is no ${what} at ${file}`
        : `the ${what} cannot be read: ${(cause as Error).message}`,
      { cause },
    )
  })
  try {
    const stat = await handle.stat()
    if (!stat.isFile()) throw new Error(`${file}: is no regular file`)
    if (stat.size > most) throw new Error(`${file}: is too large for a ${what}`)
    return await handle.readFile('utf8')
  } finally {
    await handle.close()
  }
}
