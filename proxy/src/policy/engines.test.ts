import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Ajv, type ValidateFunction } from 'ajv'
import fc from 'fast-check'
import { noLog } from '../core/log.ts'
import { noMeter } from '../core/metrics.ts'
import type { PolicyEngine, PolicyInput } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import { opaServer } from './opa-server.ts'
import { asked, decisionCases, limitsCases, type DecisionCase } from './test/cases.ts'
import { opaPath, realOpa, type RealOpa } from './test/real-opa.ts'
import { wasmPolicy } from './wasm.ts'

const schema = (name: string): ValidateFunction => {
  const file = new URL(`../../../policies/schemas/${name}.json`, import.meta.url)
  return new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync(file, 'utf8')))
}

const expectAnswer = async (engine: PolicyEngine, { input, answer }: DecisionCase): Promise<void> => {
  const given = await engine.decide(input)
  expect(schema('answer')(JSON.parse(JSON.stringify(given)))).toBe(true)
  expect({ allow: given.allow, reasons: given.reasons }).toEqual({
    allow: answer.allow,
    reasons: answer.reasons,
  })
  if (!given.allow || !answer.allow) return
  expect({ ...given.actions.rules }).toMatchObject(answer.rules ?? {})
  expect({ ...given.actions.categories }).toMatchObject(answer.categories ?? {})
  if (answer.max_tokens !== undefined) expect(given.obligations.max_tokens).toBe(answer.max_tokens)
}

/** Anything that JSON can hold, in the shape of an input or not, with the names that policy data knows among it. */
const inputs = (): fc.Arbitrary<PolicyInput> => {
  const name = fc.oneof(
    fc.constantFrom(
      'user',
      'admin',
      'openai.chat',
      'small',
      'get_x',
      '*',
      'request',
      'tool_call',
      '__proto__',
      '',
    ),
    fc.string({ unit: 'grapheme' }),
  )
  const names = fc.array(name, { maxLength: 4 })
  const odd = fc.jsonValue({ maxDepth: 1 })
  const either = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<unknown> =>
    fc.oneof<fc.WeightedArbitrary<unknown>[]>({ arbitrary: value, weight: 9 }, { arbitrary: odd, weight: 1 })
  const finding = fc.record({
    rule: either(name),
    category: either(fc.constantFrom('secret', 'personal_data', 'injection', 'invisible_text')),
    role: either(fc.constantFrom('user', 'tool')),
    channel: either(fc.constantFrom('message', 'tool_result')),
    score: either(fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100)),
    count: fc.integer({ min: 1 }),
  })
  return fc.record({
    stage: either(fc.constantFrom('request', 'response', 'tool_call', 'model')),
    caller: either(
      fc.record({
        subject: either(name),
        tenant: either(name),
        roles: either(names),
        scopes: names,
        via: name,
      }),
    ),
    request: either(
      fc.record({
        route: either(name),
        model: either(name),
        stream: fc.boolean(),
        tools: either(names),
        params: either(
          fc.dictionary(fc.constantFrom('n', 'stop', 'max_tokens', 'best_of'), either(fc.nat(9))),
        ),
        extras: either(names),
      }),
    ),
    findings: either(fc.array(finding, { maxLength: 4 })),
    tool: either(fc.record({ name: either(name), arguments: names })),
  }) as fc.Arbitrary<unknown> as fc.Arbitrary<PolicyInput>
}

const outcome = async (engine: PolicyEngine, input: PolicyInput): Promise<unknown> => {
  try {
    return await engine.decide(input)
  } catch (error) {
    return error instanceof Refusal ? error.code : error
  }
}

const isAllow = (result: unknown): boolean =>
  typeof result === 'object' && result !== null && 'allow' in result && result.allow === true

let wasm: PolicyEngine
beforeAll(async () => {
  wasm = await wasmPolicy({ meter: noMeter, log: noLog })
})
afterAll(() => wasm.close())

test.each(decisionCases)('in Wasm: $title', (row) => expectAnswer(wasm, row))

test.each(limitsCases)('in Wasm: $title', async ({ input, answer }) => {
  expect(await wasm.limits(input)).toEqual(answer)
})

test('the cases are asked in the documented shape', () => {
  const valid = schema('input')
  for (const { input, answer } of decisionCases) {
    const meantToBeWrong = /_malformed|_unknown/.test(answer.reasons.join())
    expect(meantToBeWrong || valid(input)).toBe(true)
  }
})

test('a stage or role that no rule knows is never allowed, whatever else is asked', () =>
  fc.assert(
    fc.asyncProperty(inputs(), fc.string(), async (input, unknown) => {
      const known = ['request', 'response', 'tool_call', 'model', 'user', 'developer', 'service', 'admin']
      fc.pre(!known.includes(unknown))
      const stage = unknown as PolicyInput['stage']
      const caller = { ...asked().caller, roles: [unknown] }
      expect(isAllow(await outcome(wasm, { ...input, stage }))).toBe(false)
      expect(isAllow(await outcome(wasm, { ...input, caller }))).toBe(false)
    }),
    { numRuns: 300 },
  ))

test('whatever is asked, the answer is an answer or a Refusal', () =>
  fc.assert(
    fc.asyncProperty(fc.oneof(inputs(), fc.object()), async (input) => {
      expect(await outcome(wasm, input as PolicyInput)).not.toBeInstanceOf(Error)
    }),
    { numRuns: 300 },
  ))

const opa = opaPath()
const missing = opa === undefined && process.env.CI !== 'true'

;(missing ? describe.skip : describe)(
  missing
    ? 'the OPA server: skipped, because there is no opa on PATH, in $GOPATH/bin or in ~/go/bin'
    : 'the OPA server',
  () => {
    let server: RealOpa
    let engine: PolicyEngine
    beforeAll(async () => {
      if (opa === undefined)
        throw new Error('opa is needed in CI: go install github.com/open-policy-agent/opa@v1.22.2')
      server = await realOpa(opa)
      engine = opaServer({ url: server.url, deadlineMs: 10_000, log: noLog })
    })
    afterAll(async () => {
      await engine.close()
      await server.close()
    })

    test.each(decisionCases)('as in Wasm: $title', async (row) => {
      await expectAnswer(engine, row)
      expect(await engine.decide(row.input)).toEqual(await wasm.decide(row.input))
    })

    test.each(limitsCases)('as in Wasm: $title', async ({ input, answer }) => {
      expect(await engine.limits(input)).toEqual(answer)
    })

    test('tells the revision of its bundle and is ready', () => {
      expect(engine.revision()).toBe(wasm.revision())
      expect(engine.unready()).toBeUndefined()
    })

    test('answers as the Wasm engine does, whatever is asked', () =>
      fc.assert(
        fc.asyncProperty(inputs(), async (input) => {
          const [here, there] = [await outcome(wasm, input), await outcome(engine, input)]
          // A builtin given another type than it takes is an error there and undefined here, where the shape denies it.
          if (there === 'guard_failed') expect(isAllow(here)).toBe(false)
          else expect(there).toEqual(here)
        }),
        { numRuns: 300 },
      ))
  },
)
