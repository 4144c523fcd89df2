import { z } from 'zod'
import { name, path, secret } from './fields.ts'
import { milliseconds, section } from './quantities.ts'

const upTo = (max: number) => z.int().min(1).max(max)
const declared = (what: string) =>
  z
    .array(name())
    .max(64)
    .default([])
    .describe(`${what} that metrics and baselines tell apart. All others count together as other.`)

const group = section({
  name: name().describe('Label of the metrics, such as region.'),
  by: z
    .enum(['tenant', 'role', 'scope'])
    .describe('What was verified of a caller and tells to which group it belongs.'),
  members: z
    .record(name(), z.array(z.string().min(1).max(256)).min(1).max(1000))
    .refine((groups) => Object.keys(groups).length >= 2 && Object.keys(groups).length <= 32, {
      error: 'name 2 to 32 groups: one group is compared with the others',
    })
    .describe('Group to tenants, roles or scopes. A caller in several counts in the first.'),
})

/** What the guard notices about models and callers. It refuses nothing. */
export const behaviourSchema = section({
  enabled: z
    .boolean()
    .default(true)
    .describe(
      'False: nothing is watched, and records have neither tools nor flags. About 10 us an exchange.',
    ),
  baselineFile: path()
    .optional()
    .describe(
      'What `postern baseline` wrote; drift is measured against it, and not without it. Followed when it changes.',
    ),
  snapshotToken: secret()
    .optional()
    .describe(
      'Who shows it may read what was learned at GET /baseline of the admin port, for `postern baseline`. Nobody may without it.',
    ),
  tenants: declared('Tenants'),
  roles: declared('First roles of callers'),
  tools: declared('Tools'),
  entropyBits: z
    .number()
    .min(0.01)
    .max(20)
    .default(1.5)
    .describe(
      'Mean bits a token of an answer above which it is flagged. With k alternatives a token has at most log2(k + 1).',
    ),
  window: section({
    exchanges: upTo(1_000_000)
      .default(1000)
      .describe('Of one model and tenant that close a window, which is then compared with the baseline.'),
    age: milliseconds('1m', '7d').prefault('1h').describe('An older window closes with what it has.'),
  }).prefault({}),
  callers: section({
    most: z
      .int()
      .min(16)
      .max(1_000_000)
      .default(10_000)
      .describe('Callers, addresses and roles whose past is kept, each; up to 1 KB for each.'),
    interval: milliseconds('1s', '1h').prefault('1m').describe('Rates are compared from one to the next.'),
    leastRate: upTo(1_000_000)
      .default(60)
      .describe('Exchanges of a caller, address or role in an interval that are never too many.'),
  }).prefault({}),
  groups: z
    .array(group)
    .max(8)
    .default([])
    .describe('Groups of callers whose outcomes are compared with each other.'),
  groupWindow: milliseconds('1m', '30d')
    .prefault('1d')
    .describe('How long outcomes of groups count: once to twice this.'),
})
