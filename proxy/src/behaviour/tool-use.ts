import type { ExchangeFacts } from '../core/behaviour.ts'
import type { Flag } from '../core/flag.ts'
import { bounded, learn } from './bounded.ts'
import { isName } from './names.ts'

export interface ToolUseOptions {
  /** Callers whose tools are remembered; further ones push out who was not seen for the longest time. */
  readonly maxCallers: number
  readonly roles: readonly RoleTools[]
}

/** The tools that a role has used, with their argument names: part of a baseline. */
export interface RoleTools {
  readonly role: string
  readonly tools: Readonly<Record<string, readonly string[]>>
}

export interface ToolUse {
  seen(facts: ExchangeFacts): readonly Flag[]
  snapshot(): readonly RoleTools[]
  /** Also knows what these roles used. */
  learn(roles: readonly RoleTools[]): void
}

export const MOST_ROLES = 256
export const MOST_TOOLS = 64
export const MOST_ARGUMENTS = 32
/** Calls before news is news. */
const LEAST_CALLS = 20
/** What one caller may teach about its roles, so that no caller can push out what others use. */
const MOST_TAUGHT = 16

interface Caller {
  calls: number
  taught: number
  readonly tools: Set<string>
}

interface Role {
  calls: number
  readonly tools: Map<string, Set<string>>
}

/**
 * Tools that models call. `tool_not_offered` needs no past; the others compare with what the caller and its first role used so
 * far. Names that no tool API would take are not kept.
 */
export const toolUse = (options: ToolUseOptions): ToolUse => {
  const callers = bounded<Caller>(options.maxCallers, () => ({ calls: 0, taught: 0, tools: new Set() }))
  let known = new Map<string, RoleTools>()
  const roles = bounded<Role>(MOST_ROLES, (name) => fromBaseline(known.get(name)))
  const learnRoles = (taught: readonly RoleTools[]): void => {
    known = new Map(taught.map((role) => [role.role, role]))
    for (const [name, { tools }] of [...known].slice(0, MOST_ROLES)) {
      const role = roles.at(name)
      role.calls = Math.max(role.calls, LEAST_CALLS)
      for (const [tool, names] of Object.entries(tools))
        role.tools.set(tool, new Set([...(role.tools.get(tool) ?? []), ...names].slice(0, MOST_ARGUMENTS)))
    }
  }
  learnRoles(options.roles)
  return {
    learn: learnRoles,
    seen: (facts) => {
      const called = facts.answer?.called ?? []
      if (called.length === 0) return NOTHING
      const flags = new Set<Flag>()
      const caller = callers.at(`${facts.tenant}\u0000${facts.caller}`)
      const role = roles.at(facts.roles[0] ?? '')
      for (const { name, arguments: names } of called) {
        if (!facts.offered.includes(name)) flags.add('tool_not_offered')
        if (!isName(name)) continue
        if (learn(caller.tools, name, MOST_TOOLS) && caller.calls >= LEAST_CALLS)
          flags.add('tool_new_for_caller')
        newForRole({ role, caller }, { name, names }, flags)
        caller.calls += 1
        role.calls += 1
      }
      return [...flags]
    },
    snapshot: () =>
      [...roles.entries()].map(([role, { tools }]) => ({
        role,
        tools: Object.fromEntries([...tools].map(([name, names]) => [name, [...names].sort()])),
      })),
  }
}

const NOTHING: readonly Flag[] = []

const fromBaseline = (known: RoleTools | undefined): Role => ({
  calls: known === undefined ? 0 : LEAST_CALLS,
  tools: new Map(Object.entries(known?.tools ?? {}).map(([name, names]) => [name, new Set(names)])),
})

const newForRole = (
  { role, caller }: { readonly role: Role; readonly caller: Caller },
  { name, names }: { readonly name: string; readonly names: readonly string[] },
  flags: Set<Flag>,
): void => {
  const news = role.calls >= LEAST_CALLS
  const mayTeach = (): boolean => caller.taught < MOST_TAUGHT && ++caller.taught > 0
  let argumentNames = role.tools.get(name)
  if (argumentNames === undefined) {
    if (news) flags.add('tool_new_for_role')
    if (!mayTeach()) return
    argumentNames = new Set()
    role.tools.set(name, argumentNames)
    if (role.tools.size > MOST_TOOLS) forgetOldest(role.tools)
    for (const one of names) if (isName(one) && argumentNames.size < MOST_ARGUMENTS) argumentNames.add(one)
    return
  }
  // Moved to the end: the tool that was not used for the longest time goes first.
  role.tools.delete(name)
  role.tools.set(name, argumentNames)
  for (const one of names) {
    if (argumentNames.has(one)) continue
    if (news) flags.add('argument_new')
    if (isName(one) && argumentNames.size < MOST_ARGUMENTS && mayTeach()) argumentNames.add(one)
  }
}

const forgetOldest = (tools: Map<string, unknown>): void => {
  const [oldest] = tools.keys()
  if (oldest !== undefined) tools.delete(oldest)
}
