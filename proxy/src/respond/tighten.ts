import type { Action, Actions, PolicyAnswer, PolicyEngine, PolicyInput } from '../core/policy.ts'

/** Laid over what policy answers, and only ever stricter than it. */
export interface Overlay {
  readonly actions: {
    readonly default?: Action
    readonly categories: Readonly<Record<string, Action>>
    readonly rules: Readonly<Record<string, Action>>
  }
  /** Upper bound of the tokens of an answer. */
  readonly maxTokens?: number
  /** No tool reaches the model. */
  readonly noTools: boolean
  /** Tenants that it is for; all when empty. */
  readonly tenants: readonly string[]
  /** Nothing is allowed. */
  readonly deny: boolean
}

/** For a name that this guard does not know: every finding blocks. */
export const STRICTEST: Overlay = {
  actions: { default: 'block', categories: {}, rules: {} },
  noTools: false,
  tenants: [],
  deny: false,
}

export interface NamedOverlay extends Overlay {
  readonly name: string
}

/**
 * The engine under the overlays of the moment. Its own answers are cached below, so a change of the overlays counts at once. The
 * revision names them, so that records say under which policy something was decided.
 */
export const tightened = (engine: PolicyEngine, overlays: () => readonly NamedOverlay[]): PolicyEngine => ({
  name: engine.name,
  revision: () => {
    const names = overlays().map(({ name }) => name)
    return names.length === 0 ? engine.revision() : `${engine.revision()}+${names.join('+')}`
  },
  unready: () => engine.unready(),
  limits: (input) => engine.limits(input),
  close: () => engine.close(),
  decide: async (input) => {
    const answer = await engine.decide(input)
    const own = overlays().filter(
      ({ tenants }) => tenants.length === 0 || tenants.includes(input.caller.tenant),
    )
    return own.reduce((under, overlay) => stricter(under, overlay, input), answer)
  },
})

const ORDER: readonly Action[] = ['ignore', 'observe', 'redact', 'block']

const strictest = (...actions: readonly (Action | undefined)[]): Action =>
  ORDER[Math.max(...actions.map((one) => (one === undefined ? 0 : ORDER.indexOf(one))))] ?? 'block'

const stricter = (answer: PolicyAnswer, overlay: NamedOverlay, { request }: PolicyInput): PolicyAnswer => {
  if (!answer.allow) return answer
  const reasons = [...answer.reasons, `tightened_${overlay.name}`]
  if (overlay.deny) return { allow: false, reasons }
  const { max_tokens: before, remove_tools: removed = [] } = answer.obligations
  const max = Math.min(before ?? Infinity, overlay.maxTokens ?? Infinity)
  const tools = overlay.noTools ? [...new Set([...removed, ...request.tools])] : removed
  return {
    allow: true,
    reasons,
    actions: stricterActions(answer.actions, overlay.actions),
    obligations: {
      ...answer.obligations,
      ...(max < Infinity && { max_tokens: max }),
      ...(tools.length > 0 && { remove_tools: tools }),
    },
  }
}

/**
 * Each entry with what the other side says of the same. An entry for a rule hides that of its category, which is not known here: then the
 * gravest of that side counts.
 */
const stricterActions = (own: Actions, over: Overlay['actions']): Actions => {
  const categories: Partial<Record<string, Action>> = own.categories
  const inBoth = (a: object, b: object, action: (name: string) => Action): Record<string, Action> =>
    Object.fromEntries([...Object.keys(a), ...Object.keys(b)].map((name) => [name, action(name)]))
  const gravest = {
    own: strictest(own.default, ...Object.values(categories)),
    over: strictest(over.default, ...Object.values(over.categories)),
  }
  return {
    default: strictest(own.default, over.default),
    categories: inBoth(categories, over.categories, (name) =>
      strictest(categories[name] ?? own.default, over.categories[name] ?? over.default),
    ),
    rules: inBoth(own.rules, over.rules, (name) =>
      strictest(own.rules[name] ?? gravest.own, over.rules[name] ?? gravest.over),
    ),
  }
}
