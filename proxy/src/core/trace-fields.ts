import type { ExchangeSpan } from './tracing.ts'

/** `00-<trace>-<span>-<flags>` */
export const spanIdOf = ({ traceparent }: Pick<ExchangeSpan, 'traceparent'>): string =>
  traceparent.slice(36, 52)

/** What every log line of an exchange says, so that it is found from the trace and the trace from it. */
export const traceFields = (
  span: Pick<ExchangeSpan, 'traceId' | 'traceparent'>,
): { readonly trace_id: string; readonly span_id: string } => ({
  trace_id: span.traceId,
  span_id: spanIdOf(span),
})
