import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'
import { parse } from 'yaml'
import { stepsOf } from '../../e2e/support/documents.ts'
import { checkDocument, profilesOf } from './guard-check.ts'
import { helmTest, template } from './helm.ts'
import { pick } from './manifests.ts'
import { chart } from './postern-cases.ts'

const folder = fileURLToPath(new URL('../docs', import.meta.url))
const root = join(folder, '../..')
const documents = readdirSync(folder).filter((name) => name.endsWith('.md'))
const read = (file: string): string => readFileSync(file, 'utf8')

interface Block {
  readonly info: string
  readonly body: string
  readonly line: number
}

const blocksOf = (text: string): readonly Block[] =>
  [...text.matchAll(/^```([^\n]*)\n(.*?)^```$/gms)].map(({ 1: info = '', 2: body = '', index }) => ({
    info: info.trim(),
    body,
    line: text.slice(0, index).split('\n').length,
  }))

const headings = (text: string): readonly string[] =>
  [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  )

describe.each(documents)('charts/docs/%s', (name) => {
  const text = read(join(folder, name))

  test('links lead to files and headings that are there', () => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link)
    const dead = links.filter((link) => {
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? join(folder, name) : join(folder, path)
      if (link.startsWith('https://')) return false
      return !existsSync(file) || (anchor !== undefined && !headings(read(file)).includes(anchor))
    })
    expect(links.length).toBeGreaterThan(2)
    expect(dead).toEqual([])
  })

  test('every block says what it is, and shows output of a command only', () => {
    const blocks = blocksOf(text)
    for (const [at, { info, line }] of blocks.entries()) {
      expect([line, ['sh', 'sh fails', 'text', 'yaml', 'yaml manifest'].includes(info)]).toEqual([line, true])
      if (info === 'text') expect([line, blocks[at - 1]?.info]).toEqual([line, expect.stringMatching(/^sh/)])
    }
  })

  test('commands name files of this repository', () => {
    const named = stepsOf(name, text).flatMap(({ commands }) =>
      [...commands.matchAll(/(?:^| )((?:charts|security|monitoring)\/[\w./-]+)/gm)].map(
        ([, file = '']) => file,
      ),
    )
    expect(named.filter((file) => !existsSync(join(root, file)))).toEqual([])
  })

  test('values that it names are values of chart postern', () => {
    const values: unknown = parse(read(join(chart, 'values.yaml')))
    const sections = Object.keys(values as object).join('|')
    const named = [
      ...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/`([a-zA-Z]+(?:\.[a-zA-Z]+)+)(?:: [a-z-]+)?`/g),
    ]
      .map(([, path = '']) => path)
      .filter((path) => new RegExp(`^(?:${sections})\\.`).test(path) && !path.endsWith('.md'))
    expect(named.filter((path) => pick(values, path) === undefined && !isOfProfile(path))).toEqual([])
  })
})

/** Keys of guard configurations stand in running text too. */
const isOfProfile = (path: string): boolean => path.startsWith('policy.')

const values = blocksOf(read(join(folder, 'production.md'))).filter(({ info }) => info === 'yaml')

test('production.md has a worked profile for every way out of a guard and into it', () => {
  expect(values.length).toBeGreaterThan(20)
})

describe.each(values)('the values at line $line of production.md', ({ body }) => {
  helmTest('are accepted by Helm, and make configurations that the guard accepts', async () => {
    const made = await template(chart, { values: parse(body), args: ['--kube-version', '1.36.0'] })
    const profiles = profilesOf(made)
    expect(profiles.length).toBeGreaterThan(0)
    expect(profiles.map(checkDocument)).toEqual(profiles.map(() => ''))
  })
})
