import type { Caller } from '../core/caller.ts'
import type { Received } from '../core/exchange.ts'
import type { Json } from '../core/json.ts'
import type { PolicyEngine } from '../core/policy.ts'
import { Refusal } from '../core/refusal.ts'
import type { Steps } from '../steps/steps.ts'
import { recorded, sendJson } from './recorded.ts'

export interface ListModelsParts {
  readonly steps: Steps
  readonly policy: PolicyEngine
  readonly names: readonly string[]
  /** The answers in the shape of the caller's API. */
  readonly write: {
    list(names: readonly string[], received: Received): Json
    one(name: string, received: Received): Json
  }
}

/**
 * `GET /v1/models`: the models that policy lets this caller see; `GET /v1/models/{name}`: one of them. One that the caller may not see
 * is refused like one that does not exist.
 */
export const listModels = ({ steps, policy, names, write }: ListModelsParts) =>
  recorded(steps, async (received, notes) => {
    const caller = await steps.identify(received, notes)
    await steps.limit(caller, undefined, notes)
    notes.policyRevision = policy.revision()
    const maySee = (model: string): Promise<boolean> =>
      allows(policy, caller, { route: received.route.name, model })
    if (received.route.named) {
      const name = decoded(received.named)
      if (name === undefined || !names.includes(name) || !(await maySee(name)))
        throw new Refusal('model_unknown')
      return sendJson(notes, write.one(name, received))
    }
    const visible: string[] = []
    for (const name of names) if (await maySee(name)) visible.push(name)
    await sendJson(notes, write.list(visible, received))
  })

/** Clients differ in what they escape. Nothing is decoded twice, and the result is only compared with the names. */
const decoded = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

const allows = async (
  policy: PolicyEngine,
  caller: Caller,
  { route, model }: { readonly route: string; readonly model: string },
): Promise<boolean> => {
  const request = { route, model, stream: false, tools: [], params: {}, extras: [] }
  const answer = await policy.decide({ stage: 'model', caller, request, findings: [] })
  return answer.allow
}
