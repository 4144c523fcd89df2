import { test } from '@jest/globals'

/** `test` when there is what it needs, else a skip whose title says what is missing. */
export const unless =
  (what: unknown, needs: string) =>
  (title: string, run: () => void | Promise<void>, timeoutMs?: number): void => {
    if (what === undefined) test.skip(`${title} (skipped: there is no ${needs})`, run)
    else test(title, run, timeoutMs)
  }
