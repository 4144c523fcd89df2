import type { Received } from '../core/exchange.ts'
import type { Meter } from '../core/metrics.ts'
import type { Notes } from '../core/notes.ts'
import type { Tracer } from '../core/tracing.ts'

/** Begins an exchange: from here on it is counted, traced, and will be recorded. */
export const openStep =
  (tracer: Tracer, meter: Meter) =>
  (received: Received): Notes => {
    const { id, route, presented, startedAt } = received
    meter.add('postern_in_flight', 1)
    const span = tracer.start({
      id,
      route: route.name,
      method: route.method,
      traceparent: presented.headers['traceparent'],
      tracestate: presented.headers['tracestate'],
      startedAt,
    })
    return {
      received,
      span,
      meter: span.recorded === undefined ? meter : (meter.traced?.(span.recorded) ?? meter),
      time: new Date().toISOString(),
      caller: undefined,
      model: '',
      listed: '',
      upstream: '',
      version: undefined,
      stream: false,
      answered: '',
      policyRevision: '',
      decisions: [],
      decisionsOmitted: 0,
      outcome: 'allowed',
      status: 0,
      reasons: [],
      findings: [],
      offered: [],
      sample: undefined,
      texts: [],
      uninspected: 0,
      usage: undefined,
      estimated: { input: 0, output: 0 },
      reserved: { input: 0, output: 0 },
      operation: '',
      modelSpan: undefined,
      failure: undefined,
      lease: undefined,
      timings: {},
    }
  }
