import { expect, test } from '@jest/globals'
import type { RuleTable } from './drafts.ts'
import { freezePrograms, thawPrograms } from './frozen.ts'
import { compilePrograms } from './program.ts'
import { compileScanner } from './scanner.ts'

const tablesWith = (pattern: string): readonly RuleTable[] => [
  {
    category: 'secret',
    rules: {
      key: { pattern, prefix: 'id\\s{1,2}', check: (found) => found.endsWith('7'), evidence: 'seven' },
      email: { pattern: '@[a-z]{1,9}\\.[a-z]{2}', lead: { class: '[a-z]', min: 1, max: 9 } },
      phrase: { pattern: 'open (?:the )?door', view: 'folded' },
      hidden: { pattern: '[\\u200b]{2}', view: 'raw', bounds: 'none' },
    },
  },
]
const tables = tablesWith('KEY-[0-9]{4}')
const frozen = freezePrograms(compilePrograms(tables), tables)

const TEXTS = [
  'id KEY-1237 and id KEY-1234',
  'write to ann@mail.de now',
  'Οpen  the dοor, ann@mail',
  'zero\u200b\u200bwidth 𝐨𝐩𝐞𝐧 door',
  Buffer.from('id KEY-1237, id KEY-1237').toString('base64'),
]

test('what was frozen and opened again finds what it was made to find, checks included, whole and in pieces', () => {
  const made = compileScanner({ name: 'made', tables })
  const opened = compileScanner({ name: 'opened', tables, frozen })
  expect(thawPrograms(frozen, tables)).toBeDefined()
  for (const text of TEXTS) {
    expect(opened.scan(text)).toEqual(made.scan(text))
    const session = opened.open(() => true)
    const found = text.split('').flatMap((character) => [...session.push(character)])
    expect([...found, ...session.end()].length).toBe(made.scan(text).length)
  }
  expect(TEXTS.flatMap((text) => made.scan(text)).length).toBeGreaterThan(4)
})

test.each([
  ['other rules', frozen, tablesWith('KEY-[0-9]{5}')],
  ['bytes that are nothing', Buffer.from('nothing'), tables],
])('%s are compiled instead', (_, bytes, wanted) => {
  expect(thawPrograms(bytes, wanted)).toBeUndefined()
  expect(
    compileScanner({ name: 'made', tables: wanted, frozen: bytes }).scan('write to ann@mail.de'),
  ).toHaveLength(1)
})
