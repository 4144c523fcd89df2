import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
  type Tracer as OtelTracer,
} from '@opentelemetry/api'
import type { ExchangeSpan, ExchangeStart, ModelCallStart, SpanFacts, Tracer } from '../core/tracing.ts'
import { openExporter, type ExporterOptions } from './exporter.ts'
import { draftFacts, factNames, guardrailActions, spanNames } from './semconv.ts'
import { formatTraceparent, parseTraceparent, type TraceParent } from './traceparent.ts'

export interface TracingOptions extends ExporterOptions {
  /** `gen_ai.provider.name` of the model servers, such as `vllm`; left out when undefined. */
  readonly provider: string | undefined
  /** Also sends the draft `gen_ai.guardrail.*` attributes. */
  readonly guardrailAttributes: boolean
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
  const attributes: Attributes = {
    [spanNames.exchangeId]: exchange.id,
    [spanNames.route]: exchange.route,
    [spanNames.method]: exchange.method,
  }
  const name = `${exchange.method} ${exchange.route}`
  const parent = remote(parseTraceparent(exchange.traceparent))
  const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, parent)
  const open = new Set<Span>()
  return {
    traceId: span.spanContext().traceId,
    traceparent: header(span),
    set: (facts) => setFacts(span, facts, options),
    modelCall: (call) => {
      const child = tracer.startSpan(
        `${call.operation} ${clip(call.model)}`,
        { kind: SpanKind.CLIENT, attributes: callAttributes(call, options) },
        trace.setSpan(parent, span),
      )
      open.add(child)
      return {
        traceparent: header(child),
        set: (facts) => setFacts(child, facts, options),
        end: (error) => {
          open.delete(child)
          finish(child, error)
        },
      }
    },
    end: ({ status, outcome, error }) => {
      for (const child of open) finish(child, error)
      open.clear()
      span.setAttributes({ [spanNames.status]: status, [spanNames.outcome]: outcome })
      // Semantic conventions: on a server span, only a 5xx is an error.
      finish(span, status >= 500 ? (error ?? String(status)) : undefined, error)
    },
  }
}

const callAttributes = (call: ModelCallStart, options: TracingOptions): Attributes => ({
  [spanNames.operation]: call.operation,
  [spanNames.model]: clip(call.model),
  [spanNames.stream]: call.stream,
  ...(options.provider === undefined ? {} : { [spanNames.provider]: options.provider }),
})

const finish = (span: Span, failure: string | undefined, error = failure) => {
  if (error !== undefined) span.setAttribute(spanNames.error, clip(error))
  if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end()
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

const remote = (parent: TraceParent | undefined): Context =>
  parent === undefined
    ? ROOT_CONTEXT
    : trace.setSpanContext(ROOT_CONTEXT, {
        traceId: parent.traceId,
        spanId: parent.spanId,
        traceFlags: parent.sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
        isRemote: true,
      })

const header = (span: Span): string => {
  const { traceId, spanId, traceFlags } = span.spanContext()
  return formatTraceparent({ traceId, spanId, sampled: (traceFlags & TraceFlags.SAMPLED) !== 0 })
}
