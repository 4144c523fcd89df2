import type { Caller } from '../core/caller.ts'
import type { Received } from '../core/exchange.ts'
import type { Json } from '../core/json.ts'
import type { PolicyEngine } from '../core/policy.ts'
import type { Steps } from '../steps/steps.ts'
import { recorded, sendJson } from './recorded.ts'

export interface ListModelsParts {
  readonly steps: Steps
  readonly policy: PolicyEngine
  readonly names: readonly string[]
  /** The list in the shape of the caller's API. */
  readonly write: (names: readonly string[], received: Received) => Json
}

/** `GET /v1/models`: the models that policy lets this caller see. */
export const listModels = ({ steps, policy, names, write }: ListModelsParts) =>
  recorded(steps, async (received, notes) => {
    const caller = await steps.identify(received, notes)
    await steps.limit(caller, undefined, notes)
    notes.policyRevision = policy.revision()
    const visible: string[] = []
    for (const name of names)
      if (await maySee(policy, caller, { route: received.route.name, model: name })) visible.push(name)
    await sendJson(notes, write(visible, received))
  })

const maySee = async (
  policy: PolicyEngine,
  caller: Caller,
  { route, model }: { readonly route: string; readonly model: string },
): Promise<boolean> => {
  const request = { route, model, stream: false, tools: [], params: {}, extras: [] }
  const answer = await policy.decide({ stage: 'model', caller, request, findings: [] })
  return answer.allow
}
