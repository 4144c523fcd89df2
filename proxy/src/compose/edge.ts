import type { EdgeRefusal } from '../server/dispatch.ts'
import type { Base } from './generation.ts'

/** Requests that never reached the pipeline are recorded too: probing shows in the log. */
export const edgeRecorder =
  ({ audit, log }: Pick<Base, 'audit' | 'log'>) =>
  ({ id, route, client, refusal }: EdgeRefusal): void => {
    audit
      .end({
        id,
        time: new Date().toISOString(),
        route: route?.name ?? '',
        model: '',
        upstream: '',
        caller: null,
        client,
        trace: '',
        span: '',
        stream: false,
        answered: '',
        served: null,
        versions: { guard: '', rules: '' },
        policy: { engine: '', revision: '' },
        outcome: 'refused',
        status: refusal.status,
        reasons: [refusal.code],
        decisions: [],
        decisionsOmitted: 0,
        findings: [],
        tools: [],
        flags: [],
        entropy: null,
        texts: [],
        uninspected: 0,
        tokens: null,
        timings: {},
      })
      .catch((cause: unknown) => log.warn('refusal_not_recorded', { id, cause: cause as Error }))
  }
