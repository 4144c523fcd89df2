import type { Use } from './gather.ts'

/** Who calls: the folder that holds the code, or what the user says. */
export interface Caller {
  readonly role: string
  readonly uses: readonly Use[]
}

/** One caller per folder at `depth` below the common one; names fit a role: small letters, digits and dashes. */
export const callersOf = (uses: readonly Use[], role: string | undefined): readonly Caller[] => {
  const callers = new Map<string, Use[]>()
  const shared = commonFolders(uses.map(({ path }) => path))
  for (const use of uses) {
    const [folder] = use.path.split('/').slice(shared, -1)
    const name = role ?? roleName(folder ?? 'service')
    callers.set(name, [...(callers.get(name) ?? []), use])
  }
  return [...callers]
    .sort(([one], [two]) => one.localeCompare(two))
    .map(([name, own]) => ({ role: name, uses: own }))
}

const roleName = (folder: string): string =>
  folder
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '') || 'service'

const commonFolders = (paths: readonly string[]): number => {
  const [first = [], ...rest] = paths.map((path) => path.split('/').slice(0, -1))
  const differs = first.findIndex((folder, index) => rest.some((other) => other[index] !== folder))
  return differs < 0 ? first.length : differs
}

const modelsOf = ({ uses }: Caller): readonly string[] => unique(uses.flatMap(({ models }) => models))
const toolsOf = ({ uses }: Caller): readonly string[] => unique(uses.flatMap(({ tools }) => tools))

const unique = (names: readonly string[]): readonly string[] => [...new Set(names)].sort()

/**
 * The `roles` of the guard's policy data, and nothing that the code did not show: merge it into your data.json, and what
 * is not in it is refused. Answers are capped at what the code asks for, else at 4096 tokens.
 */
export const policyRoles = (callers: readonly Caller[]): object =>
  Object.fromEntries(
    callers.map((caller) => [
      caller.role,
      {
        routes: ['openai.chat', 'openai.completions', 'openai.models', 'anthropic.*'],
        models: modelsOf(caller).map(bare),
        tools: toolsOf(caller),
        extras: [],
        params: {
          n: 1,
          max_tokens: Math.max(0, ...caller.uses.map(({ maxTokens = 0 }) => maxTokens)) || 4096,
          top_logprobs: 0,
          stop: 4,
          logit_bias: 0,
        },
      },
    ]),
  )

/** `openai:chat:gpt-4o` and `openai/gpt-4o` reach the guard as `gpt-4o`; `meta-llama/…` is a name of its own. */
const bare = (model: string): string =>
  model.replace(/^(?:openai|anthropic|azure|ollama)[:/](?:(?:chat|responses|messages|completion):)?/, '')

/** For people and for JSON. */
export const describeCaller = (
  caller: Caller,
): { role: string; models: readonly string[]; tools: readonly string[]; files: readonly string[] } => ({
  role: caller.role,
  models: modelsOf(caller),
  tools: toolsOf(caller),
  files: caller.uses.map(({ path }) => path),
})
