export interface Closing {
  readonly close: () => Promise<void>
}

/**
 * What `start` makes, with a `close` that ends all that `start` put on its list, newest first. When `start` fails, what it opened
 * until then is ended before its error is thrown.
 */
export const closing = async <T extends object>(
  start: (opened: (() => unknown)[]) => Promise<T>,
): Promise<T & Closing> => {
  const opened: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (const end of opened.splice(0).toReversed()) await end()
  }
  try {
    return { ...(await start(opened)), close }
  } catch (error) {
    await close()
    throw error
  }
}
