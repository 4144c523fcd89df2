import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { expect, test } from '@jest/globals'
import { buildPolicy } from '../controller/policies/build.ts'
import { signBundle, type Policy } from '../controller/policies/bundle.ts'
import { collect } from '../controller/policies/collect.ts'
import { dataCheck } from '../controller/policies/data-schema.ts'
import { builtIn, configMap, opa, policies } from '../controller/policies/test/samples.ts'
import { newKey } from '../controller/pki/x509.ts'
import { createPrivateKey } from 'node:crypto'
import { tryBundle } from './try-bundle.ts'

const signed = (policy: Policy): Uint8Array =>
  signBundle(policy, {}, { keyid: 'postern', privateKey: createPrivateKey(newKey().key) }).bytes

const left = (): readonly string[] =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('postern-bundle-'))

test('the built-in policy is taken, bytes that are no bundle are not, and no file is left', async () => {
  const before = left()
  await tryBundle(signed(builtIn))
  await expect(tryBundle(Buffer.from('no bundle'))).rejects.toThrow(/gzip|archive|bundle/)
  await expect(tryBundle(signed({ ...builtIn, wasm: Buffer.from('no module') }))).rejects.toThrow(
    /does not compile/,
  )
  expect(left().filter((name) => !before.includes(name))).toEqual([])
})

/** 10^10 steps for one question, which take no memory: there the 64 MiB of an evaluation end it soon. */
const SLOW = `package postern.rules.slow

deny contains "never" if {
	some a in _all
	some b in _all
	some c in _all
	some d in _all
	some e in _all
	a != b
	b != c
	c != d
	d != e
	e == input.caller.subject
}

_all := {${Array.from({ length: 100 }, (_, index) => `"x${index}"`).join(', ')}}
`

const withOpa = opa === undefined ? test.skip : test

withOpa(
  'a policy that would not end is given up, and the controller answers meanwhile',
  async () => {
    const { sources } = collect([configMap('team', { 'slow.rego': SLOW })])
    const { signal } = new AbortController()
    const checkData = await dataCheck(policies)
    const built = await buildPolicy(sources, {
      builtIn,
      checkData,
      opa: opa ?? '',
      sources: policies,
      signal,
    })
    if ('problems' in built) throw new Error(built.problems[0]?.message)
    let ticks = 0
    const ticking = setInterval(() => ticks++, 10)
    await expect(tryBundle(signed(built.policy), 2000)).rejects.toThrow(
      'a first question takes longer than 2 s',
    )
    clearInterval(ticking)
    expect(ticks).toBeGreaterThan(2)
  },
  60_000,
)
