import { accessSync, constants } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

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
