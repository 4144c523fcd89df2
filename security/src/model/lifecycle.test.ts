import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { bomOf } from './bom.ts'
import { promote, rollback } from './lifecycle.ts'
import type { Registry, Version } from './registry.ts'
import { fileRegistry } from './registry-file.ts'
import { withFolder } from './test/folders.ts'

const at = new Date(0)
const signed = (version: string): Version => ({
  version,
  source: `s3://models/${version}`,
  servesAs: '',
  digest: 'a'.repeat(64),
  signer: 'b'.repeat(64),
})

const withRegistry = <Result>(work: (registry: Registry, file: string) => Promise<Result>): Promise<Result> =>
  withFolder((folder) => work(fileRegistry(join(folder, 'models.json')), join(folder, 'models.json')))

const step = (version: string) => ({ name: 'm', alias: 'champion', version, by: 'me', at, unsigned: false })

test('rolling back undoes promotions one after the other, and no further', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom('1', '2', '3'), { minLength: 1, maxLength: 8 }), (versions) =>
      withRegistry(async (registry) => {
        for (const version of ['1', '2', '3']) await registry.add('m', signed(version))
        const stack: string[] = []
        for (const version of versions) {
          if (stack.at(-1) === version)
            await expect(promote(registry, step(version))).rejects.toThrow('already')
          else {
            await promote(registry, step(version))
            stack.push(version)
          }
        }
        while (stack.length > 1) {
          stack.pop()
          await rollback(registry, { name: 'm', alias: 'champion', by: 'me', at })
          expect((await registry.model('m'))?.aliases).toEqual({ champion: stack.at(-1) })
        }
        await expect(rollback(registry, { name: 'm', alias: 'champion', by: 'me', at })).rejects.toThrow(
          'no earlier',
        )
      }),
    ),
    { numRuns: 15 },
  )
})

test('a version without a signature is not promoted unless it is said, and versions are never replaced', () =>
  withRegistry(async (registry) => {
    await registry.add('m', { ...signed('1'), signer: '', digest: '' })
    await expect(promote(registry, step('1'))).rejects.toThrow('is not signed')
    await promote(registry, { ...step('1'), unsigned: true })
    await expect(registry.add('m', signed('1'))).rejects.toThrow('never replaced')
    await expect(promote(registry, step('9'))).rejects.toThrow('no version 9; it has 1')
    await expect(promote(registry, { ...step('1'), name: 'other' })).rejects.toThrow('no model other')
  }))

test('a damaged registry stops every change and stays as it is', () =>
  withRegistry(async (registry, file) => {
    writeFileSync(file, '{"v":1,"models":{"m":{"versions":[],"aliases":{}}}}')
    await expect(registry.add('m', signed('1'))).rejects.toThrow('is no model registry')
    expect(readFileSync(file, 'utf8')).toContain('"versions":[]')
  }))

test('two writers do not lose a change, and nothing is left beside the file', () =>
  withRegistry(async (registry, file) => {
    const added = await Promise.allSettled(
      ['1', '2', '3', '4'].map((version) => registry.add('m', signed(version))),
    )
    const kept = added.filter(({ status }) => status === 'fulfilled').length
    expect((await registry.model('m'))?.versions).toHaveLength(kept)
    expect(kept).toBeGreaterThan(0)
    expect(readdirSync(join(file, '..'))).toEqual(['models.json'])
  }))

test('the bill of materials names every version, its digest and its aliases', () =>
  withRegistry(async (registry) => {
    await registry.add('m', signed('1'))
    await promote(registry, step('1'))
    expect(bomOf(await registry.models(), at)).toMatchObject({
      bomFormat: 'CycloneDX',
      specVersion: '1.7',
      components: [
        {
          type: 'machine-learning-model',
          'bom-ref': 'm@1',
          hashes: [{ alg: 'SHA-256', content: 'a'.repeat(64) }],
          externalReferences: [{ type: 'distribution', url: 's3://models/1' }],
          properties: [
            { name: 'postern:signer', value: 'b'.repeat(64) },
            { name: 'postern:alias', value: 'champion' },
          ],
        },
      ],
    })
  }))
