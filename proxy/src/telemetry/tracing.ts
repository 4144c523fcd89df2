import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type HrTime,
  type Span,
  type TraceState,
  type Tracer as OtelTracer,
} from '@opentelemetry/api'
import type { TraceRef } from '../core/metrics.ts'
import type { ExchangeSpan, ExchangeStart, ModelCallStart, SpanFacts, Tracer } from '../core/tracing.ts'
import { openExporter, type ExporterOptions } from './exporter.ts'
import {
  draftFacts,
  factNames,
  guardrailActions,
  momentNames,
  providerNames,
  spanNames,
  type GenAiNames,
} from './semconv.ts'
import { formatTraceparent, parseTraceparent, type TraceParent } from './traceparent.ts'
import { passableTracestate } from './tracestate.ts'

export interface TracingOptions extends ExporterOptions {
  /** `gen_ai.provider.name` of the model servers, such as `vllm`; left out when undefined. */
  readonly provider: string | undefined
  /** Also sends the draft `gen_ai.guardrail.*` attributes. */
  readonly guardrailAttributes: boolean
  /** Which version of the GenAI conventions names what changed its name. */
  readonly genAiNames: GenAiNames
}

/** Spans to an OTLP collector over HTTP. */
export const tracing = (options: TracingOptions): Tracer => {
  const exporter = openExporter(options)
  return {
    start: (exchange) => startSpan(exporter.tracer, options, exchange),
    close: () => exporter.close(),
  }
}

const startSpan = (tracer: OtelTracer, options: TracingOptions, exchange: ExchangeStart): ExchangeSpan => {
  const joined = parseTraceparent(exchange.traceparent)
  const tracestate = joined && passableTracestate(exchange.tracestate)
  const parent = remote(joined, tracestate)
  const time = clock()
  const span = tracer.startSpan(
    `${exchange.method} ${exchange.route}`,
    {
      kind: SpanKind.SERVER,
      attributes: exchangeAttributes(exchange),
      startTime: time(exchange.startedAt ?? performance.now()),
    },
    parent,
  )
  const within = trace.setSpan(parent, span)
  const open = new Set<Span>()
  return {
    traceId: span.spanContext().traceId,
    traceparent: header(span),
    tracestate,
    recorded: recordedAs(span),
    set: (facts) => setFacts(span, facts, options),
    work: ({ name: work, from, to, facts }) => {
      if (!span.isRecording()) return
      const child = tracer.startSpan(work, { kind: SpanKind.INTERNAL, startTime: time(from) }, within)
      setFacts(child, facts, options)
      child.end(time(to))
    },
    modelCall: (call) => {
      const child = tracer.startSpan(
        `${call.operation} ${clip(call.model)}`,
        {
          kind: SpanKind.CLIENT,
          attributes: callAttributes(call, options),
          startTime: time(performance.now()),
        },
        within,
      )
      open.add(child)
      return {
        traceparent: header(child),
        set: (facts) => setFacts(child, facts, options),
        mark: (moment, at) => {
          if (child.isRecording()) child.addEvent(momentNames[moment], time(at))
        },
        end: (error) => {
          open.delete(child)
          finish(child, { at: time(performance.now()), failure: error, error })
        },
      }
    },
    end: ({ status, outcome, error }) => {
      const at = time(performance.now())
      for (const child of open) finish(child, { at, failure: error, error })
      span.setAttributes({ [spanNames.status]: status, [spanNames.outcome]: outcome })
      // Semantic conventions: on a server span, only a 5xx is an error.
      const failure = status >= 500 ? (error ?? String(status)) : undefined
      finish(span, { at, failure, error: error ?? failure })
    },
  }
}

const exchangeAttributes = ({ id, route, method }: ExchangeStart): Attributes => ({
  [spanNames.exchangeId]: id,
  [spanNames.route]: route,
  [spanNames.method]: method,
})

const callAttributes = (call: ModelCallStart, options: TracingOptions): Attributes => ({
  [spanNames.operation]: call.operation,
  [spanNames.model]: clip(call.model),
  [spanNames.stream]: call.stream,
  ...(options.provider === undefined
    ? {}
    : Object.fromEntries(providerNames[options.genAiNames].map((name) => [name, options.provider]))),
})

/** `performance.now()` as the time of day: one reading for all spans of an exchange, so that none begins before its parent. */
const clock = (): ((ms: number) => HrTime) => {
  const epoch = Date.now() - performance.now()
  return (ms) => {
    const seconds = Math.floor((epoch + ms) / 1000)
    return [seconds, Math.floor((epoch + ms - seconds * 1000) * 1_000_000)]
  }
}

interface Ending {
  readonly at: HrTime
  /** Sets the span's status. */
  readonly failure: string | undefined
  /** `error.type`. */
  readonly error: string | undefined
}

const finish = (span: Span, { at, failure, error }: Ending) => {
  if (error !== undefined) span.setAttribute(spanNames.error, clip(error))
  if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(at)
}

const setFacts = (span: Span, facts: SpanFacts, options: TracingOptions) => {
  if (!span.isRecording()) return
  for (const key of Object.keys(facts) as (keyof SpanFacts)[]) {
    const value = facts[key]
    if (value === undefined || (draftFacts.has(key) && !options.guardrailAttributes)) continue
    span.setAttribute(factNames[key], attribute(value))
  }
  if (facts.guardrailAction !== undefined && options.guardrailAttributes) {
    span.setAttribute(factNames.guardrailAction, guardrailActions[facts.guardrailAction])
    span.setAttribute(spanNames.guardrailName, 'postern')
  }
}

const attribute = (value: string | number | readonly string[]) =>
  typeof value === 'number' ? value : typeof value === 'string' ? clip(value) : value.slice(0, 32).map(clip)

const clip = (text: string): string => text.slice(0, 256)

const remote = (parent: TraceParent | undefined, tracestate: string | undefined): Context =>
  parent === undefined
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, {
        traceId: parent.traceId,
        spanId: parent.spanId,
        traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
        isRemote: true,
        ...(tracestate === undefined ? {} : { traceState: carried(tracestate) }),
      })

/** Passed on and exported as it came; nothing here reads or changes its members. */
const carried = (header: string): TraceState => {
  const state: TraceState = {
    get: () => undefined,
    set: () => state,
    unset: () => state,
    serialize: () => header,
  }
  return state
}

const recordedAs = (span: Span): TraceRef | undefined => {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return (traceFlags & TraceFlags.SAMPLED) === 0 ? undefined : { traceId, spanId }
}

const header = (span: Span): string => {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return formatTraceparent({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 })
}
