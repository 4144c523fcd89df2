import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { test } from '@jest/globals'

/** Where a program is: on PATH, where Go puts what it installs, or where the tests of other parts keep theirs. */
export const found = (name: string): string | undefined =>
  [
    ...(process.env.PATH ?? '').split(delimiter),
    join(homedir(), 'go/bin'),
    ...['cluster', 'fluentd', 'loki'].map((part) => join(homedir(), `.cache/postern-${part}/bin`)),
  ]
    .map((folder) => join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })

/** `test` when there is what it needs, else a skip whose title says what is missing. */
export const unless =
  (what: unknown, needs: string) =>
  (title: string, run: () => void | Promise<void>, timeoutMs?: number): void => {
    if (what === undefined) test.skip(`${title} (skipped: there is no ${needs})`, run)
    else test(title, run, timeoutMs)
  }
