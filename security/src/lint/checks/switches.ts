import type { Finding } from '../finding.ts'
import type { RuleId } from '../rules.ts'
import { settingWord, type Setting } from '../settings.ts'
import { textOf, type Value } from '../value.ts'

interface Row {
  /** Of the call, where the name alone could mean something else. */
  readonly owner?: RegExp
  readonly rule: RuleId
  readonly names: readonly string[]
  /** Judges the value in small letters. */
  readonly bad: (word: string, value: Value) => boolean
}

const on = (word: string): boolean => word === 'true'
const off = (word: string): boolean => word === 'false'
const absent = (word: string): boolean =>
  ['none', 'null', 'infinity', 'math.inf', 'number.max_safe_integer', '-1', 'undefined'].includes(word)
const above =
  (limit: number) =>
  (word: string): boolean =>
    /^[\d_]{1,15}$/.test(word) && Number(word.replaceAll('_', '')) > limit
const wildcard = (word: string, value: Value): boolean =>
  word === '*' || (value.kind === 'list' && value.items().some((item) => textOf(item) === '*'))

/** Names of settings as their libraries document them: LangChain, CrewAI, AutoGen, OpenAI, MCP clients, Transformers. */
const ROWS: readonly Row[] = [
  {
    rule: 'dangerous-code-allowed',
    names: ['allow_dangerous_code', 'allowDangerousCode', 'allow_code_execution', 'allow_unsafe_code'],
    bad: on,
  },
  { rule: 'dangerous-code-allowed', names: ['code_execution_mode'], bad: (word) => word === 'unsafe' },
  { rule: 'dangerous-code-allowed', names: ['use_docker'], bad: off },
  {
    rule: 'dangerous-requests-allowed',
    names: ['allow_dangerous_requests', 'allowDangerousRequests'],
    bad: on,
  },
  {
    rule: 'unsafe-deserialization',
    names: ['allow_dangerous_deserialization', 'allow_pickle', 'allowDangerousDeserialization'],
    bad: on,
  },
  { rule: 'unsafe-deserialization', names: ['weights_only'], bad: off },
  { rule: 'remote-code-trusted', names: ['trust_remote_code'], bad: on },
  { rule: 'key-in-browser', names: ['dangerouslyAllowBrowser', 'dangerouslyAllowAPIKeyInBrowser'], bad: on },
  {
    rule: 'unbounded-agent',
    names: [
      'max_iterations',
      'maxIterations',
      'max_turns',
      'maxTurns',
      'max_steps',
      'max_execution_steps',
      'max_consecutive_auto_reply',
    ],
    bad: (word) => absent(word) || above(100)(word),
  },
  {
    rule: 'unbounded-agent',
    names: ['max_iter'],
    owner: /agent|crew/i,
    bad: (word) => absent(word) || above(100)(word),
  },
  {
    rule: 'unbounded-agent',
    names: ['recursion_limit', 'recursionLimit'],
    bad: (word) => absent(word) || above(250)(word),
  },
  {
    rule: 'auto-approve',
    names: [
      'auto_approve',
      'autoApproveAll',
      'auto_approve_all',
      'skip_confirmation',
      'dangerously_skip_permissions',
      'yolo',
    ],
    bad: on,
  },
  { rule: 'auto-approve', names: ['require_approval', 'requireApproval'], bad: (word) => word === 'never' },
  {
    rule: 'auto-approve',
    names: ['permissionMode', 'permission_mode', 'defaultMode'],
    bad: (word) => word === 'bypasspermissions',
  },
  {
    rule: 'wildcard-tools',
    names: [
      'allowed_tools',
      'allowedTools',
      'alwaysAllow',
      'autoApprove',
      'auto_approve',
      'enabled_tools',
      'includeTools',
    ],
    bad: wildcard,
  },
]

const byName = new Map<string, readonly Row[]>()
for (const row of ROWS) for (const name of row.names) byName.set(name, [...(byName.get(name) ?? []), row])

/** Switches that are off, limits that are none, approvals that nobody gives. */
export const checkSwitches = (settings: readonly Setting[]): readonly Finding[] => [
  ...settings.flatMap(({ name, value, owner, start, end }) => {
    const word = settingWord(value)
    const row = byName.get(name)?.find((one) => (one.owner?.test(owner) ?? true) && one.bad(word, value))
    if (row === undefined) return []
    return [
      { rule: row.rule, message: `${name} is ${value.kind === 'list' ? 'a wildcard' : word}.`, start, end },
    ]
  }),
  ...neverAsks(settings),
]

/** AutoGen: an agent that runs code and never asks. One that only chats may well never ask. */
const neverAsks = (settings: readonly Setting[]): readonly Finding[] => {
  const runsCode = settings.some(
    ({ name, value }) =>
      name === 'code_execution_config' && !absent(settingWord(value)) && !off(settingWord(value)),
  )
  return settings
    .filter(({ name, value }) => runsCode && name === 'human_input_mode' && settingWord(value) === 'never')
    .map(({ start, end }) => ({
      rule: 'auto-approve' as const,
      message: 'human_input_mode is NEVER for an agent that runs code.',
      start,
      end,
    }))
}
