// As the GenAI conventions advise; they bound what dashboards made for them can show.
const GEN_AI_SECONDS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
] as const
const GEN_AI_FIRST_TOKEN = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
] as const
const GEN_AI_TOKENS = [
  1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864,
] as const

/**
 * Metrics of the OpenTelemetry conventions for generative AI, under their Prometheus names; counted only where
 * `telemetry.genAiMetrics` is on. What they are called in OTLP stands in telemetry/semconv.ts.
 */
export const genAiMetrics = {
  gen_ai_client_operation_duration_seconds: {
    kind: 'histogram',
    help: 'GenAI operation duration: from sending a request to the model server to the end of its answer.',
    labels: ['gen_ai_operation_name', 'gen_ai_request_model', 'error_type'],
    buckets: GEN_AI_SECONDS,
  },
  gen_ai_client_operation_time_to_first_chunk_seconds: {
    kind: 'histogram',
    help: 'Time to the first chunk of a streamed answer, from sending the request to the model server.',
    labels: ['gen_ai_operation_name', 'gen_ai_request_model'],
    buckets: GEN_AI_SECONDS,
  },
  gen_ai_client_token_usage: {
    kind: 'histogram',
    help: 'Number of input and output tokens used, as the model server reported them.',
    labels: ['gen_ai_operation_name', 'gen_ai_request_model', 'gen_ai_token_type'],
    buckets: GEN_AI_TOKENS,
  },
  gen_ai_server_request_duration_seconds: {
    kind: 'histogram',
    help: 'GenAI request duration as the client of the guard sees it: to the last byte of the answer.',
    labels: ['gen_ai_operation_name', 'gen_ai_request_model', 'error_type'],
    buckets: GEN_AI_SECONDS,
  },
  gen_ai_server_time_to_first_token_seconds: {
    kind: 'histogram',
    help: 'Time to the first token that leaves the guard, for streamed answers.',
    labels: ['gen_ai_operation_name', 'gen_ai_request_model'],
    buckets: GEN_AI_FIRST_TOKEN,
  },
} as const
