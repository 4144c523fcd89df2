import { expect, test } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lint } from './lint.ts'
import { samples, type Sample } from './test/samples.ts'

const rulesIn = ([name, text]: Sample): readonly string[] => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-lint-'))
  try {
    writeFileSync(join(folder, name), text)
    const { results, skipped } = lint([join(folder, name)], { exclude: [], maxFiles: 10 })
    expect(skipped).toEqual([])
    return results.map(({ finding }) => finding.rule)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test.each(Object.entries(samples))(
  '%s is found where it is planted and not beside it',
  (rule, { bad, good }) => {
    for (const sample of bad)
      expect([sample[0], sample[1], rulesIn(sample)]).toEqual([
        sample[0],
        sample[1],
        expect.arrayContaining([rule]),
      ])
    for (const sample of good)
      expect([sample[0], sample[1], rulesIn(sample)]).toEqual([
        sample[0],
        sample[1],
        expect.not.arrayContaining([rule]),
      ])
  },
)
