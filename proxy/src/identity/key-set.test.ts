import { expect, test } from '@jest/globals'
import { readKeySet } from './key-set.ts'
import { newSigner } from './test/issuer.ts'

const header = (kid: string, alg: string) => ({ alg, kid, typ: undefined, hints: [] })

test('an RSA key with the ROCA flaw is left out', () => {
  const primes = [
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
    107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
  ]
  const product = primes.reduce((all, prime) => all * BigInt(prime), 2n)
  const residue = Array.from({ length: 29 }).reduce<bigint>((power) => (power * 65_537n) % product, 1n)
  const flawed = product * (2n ** 2047n / product + 1n) + residue
  const keyWith = (modulus: bigint) => ({
    kty: 'RSA',
    kid: 'k',
    e: 'AQAB',
    n: Buffer.from(modulus.toString(16), 'hex').toString('base64url'),
  })
  expect(() => readKeySet({ keys: [keyWith(flawed)] }, ['RS256'])).toThrow(/usable/)
  expect(readKeySet({ keys: [keyWith(flawed + 2n)] }, ['RS256']).knows('k')).toBe(true)
})

test.each(['Aw', 'AQ', 'AA', 'BA', 'AQAAAAAB'])(
  'an RSA key with the exponent %s is taken only when it is odd, above 1 and short',
  (e) => {
    const { jwk } = newSigner('RS256', 'k')
    const read = () => readKeySet({ keys: [{ ...jwk, e }] }, ['RS256'])
    if (e === 'Aw') expect(read().knows('k')).toBe(true)
    else expect(read).toThrow(/usable/)
  },
)

test('a key is chosen by kid and algorithm, and never when two would fit', () => {
  const [one, two] = [newSigner('ES256', 'one'), newSigner('RS256', 'two')]
  const { alg, ...open } = two.jwk
  const keys = readKeySet({ keys: [one.jwk, open, newSigner('ES256', 'one').jwk] }, [
    'ES256',
    'RS256',
    'PS256',
  ])
  expect(alg).toBe('RS256')
  expect(keys.select(header('two', 'RS256'))).toBeDefined()
  expect(keys.select(header('two', 'PS256'))).toBeDefined()
  expect(keys.select(header('two', 'RS384'))).toBeUndefined()
  expect(keys.select(header('two', 'ES256'))).toBeUndefined()
  expect(keys.select(header('one', 'ES256'))).toBeUndefined()
  expect(keys.select(header('three', 'ES256'))).toBeUndefined()
})

test('a kid that is no short string takes its key out', () => {
  const { jwk } = newSigner()
  for (const kid of [1, '', 'k'.repeat(257), null])
    expect(() => readKeySet({ keys: [{ ...jwk, kid }] }, ['ES256'])).toThrow(/usable/)
})
