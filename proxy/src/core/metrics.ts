import { genAiMetrics } from './gen-ai-metrics.ts'

type Row = {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly labels: readonly string[]
  readonly buckets?: readonly number[]
}

const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2, 10, 60, 300,
] as const

/** Every metric there is. Label values are bounded: names from configuration or from our own tables, never a caller's text. */
export const metrics = {
  postern_requests_total: {
    kind: 'counter',
    help: 'Exchanges ended, by route, status class and outcome.',
    labels: ['route', 'status', 'outcome'],
  },
  postern_refusals_total: {
    kind: 'counter',
    help: 'Requests refused, by code of the refusal table.',
    labels: ['route', 'code'],
  },
  postern_feedback_total: {
    kind: 'counter',
    help: 'What people said of decisions on the page for people, by rule (none: the decision as a whole) and verdict: right, wrong.',
    labels: ['rule', 'verdict'],
  },
  postern_findings_total: {
    kind: 'counter',
    help: 'Findings, by rule, direction and what was done.',
    labels: ['rule', 'direction', 'action'],
  },
  postern_request_duration_seconds: {
    kind: 'histogram',
    help: 'From the first byte of a request to the last byte of its answer.',
    labels: ['route'],
    buckets: SECONDS,
  },
  postern_guard_seconds: {
    kind: 'histogram',
    help: 'Time that the guard itself spends before it calls the model.',
    labels: ['route'],
    buckets: SECONDS,
  },
  postern_decision_seconds: {
    kind: 'histogram',
    help: 'Time of one policy decision.',
    labels: ['stage', 'engine'],
    buckets: SECONDS,
  },
  postern_scan_seconds: {
    kind: 'histogram',
    help: 'Time to scan all texts of one direction of an exchange.',
    labels: ['direction'],
    buckets: SECONDS,
  },
  postern_first_token_added_seconds: {
    kind: 'histogram',
    help: 'Delay that the guard adds to the first token: from its arrival at the guard to its leaving.',
    labels: ['route'],
    buckets: SECONDS,
  },
  postern_held_characters: {
    kind: 'histogram',
    help: 'Most characters held back at once in a stream.',
    labels: ['route'],
    buckets: [0, 8, 16, 32, 64, 128, 256, 1024, 4096, 16384],
  },
  postern_tokens_total: {
    kind: 'counter',
    help: 'Tokens, by model and kind: input or output.',
    labels: ['model', 'kind'],
  },
  postern_in_flight: { kind: 'gauge', help: 'Exchanges in progress.', labels: [] },
  postern_connections: { kind: 'gauge', help: 'Open client connections.', labels: [] },
  postern_uninspected_total: {
    kind: 'counter',
    help: 'Requests and upgrades passed without inspection, because their route says inspect: false.',
    labels: ['route'],
  },
  postern_identify_total: {
    kind: 'counter',
    help: 'Credentials checked, by identifier and result: accepted, refused, unavailable.',
    labels: ['identifier', 'result'],
  },
  postern_key_set_age_seconds: {
    kind: 'gauge',
    help: 'Age of the key set last fetched from an issuer.',
    labels: ['issuer'],
  },
  postern_key_set_fetches_total: {
    kind: 'counter',
    help: 'Key set fetches, by result: ok, failed.',
    labels: ['issuer', 'result'],
  },
  postern_policy_cache_total: {
    kind: 'counter',
    help: 'Decisions, by whether a cached answer was used: hit, miss.',
    labels: ['result'],
  },
  postern_policy_bundle_fetches_total: {
    kind: 'counter',
    help: 'Answers of the policy bundle server, by result: new, unchanged, rejected (not signed, broken or unusable), failed.',
    labels: ['result'],
  },
  postern_policy_bundle_confirmed_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the server last said that the policy bundle in use is the current one, in Unix time; time() minus it is its age.',
    labels: [],
  },
  postern_workload_certificate_renewals_total: {
    kind: 'counter',
    help: 'Attempts to get a certificate of the workload, by source (controller, spire) and result (ok, failed).',
    labels: ['source', 'result'],
  },
  postern_workload_certificate_expiry_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the certificate of the workload ends, in Unix time.',
    labels: [],
  },
  postern_limiter_keys: {
    kind: 'gauge',
    help: 'Callers, tenants and models whose limits are counted in memory at present.',
    labels: [],
  },
  postern_limiter_fallback_total: {
    kind: 'counter',
    help: 'Requests limited locally because the shared store failed.',
    labels: [],
  },
  postern_upstream_requests_total: {
    kind: 'counter',
    help: 'Attempts to call an upstream, by result.',
    labels: ['upstream', 'result'],
  },
  postern_upstream_seconds: {
    kind: 'histogram',
    help: 'From sending a request upstream to its response headers.',
    labels: ['upstream'],
    buckets: SECONDS,
  },
  postern_upstream_healthy: {
    kind: 'gauge',
    help: '1 when the upstream takes requests, 0 when its circuit is open.',
    labels: ['upstream'],
  },
  postern_audit_records_total: { kind: 'counter', help: 'Audit records made durable.', labels: [] },
  postern_audit_commit_seconds: {
    kind: 'histogram',
    help: 'Time of one audit group commit, fsync included.',
    labels: [],
    buckets: SECONDS,
  },
  postern_audit_writable: {
    kind: 'gauge',
    help: '1 when audit records can be written; 0 means that nothing is served.',
    labels: [],
  },
  postern_capture_failures_total: {
    kind: 'counter',
    help: 'Exchanges whose content should have been kept for the auditor and could not be.',
    labels: [],
  },
  postern_policy_shadow_total: {
    kind: 'counter',
    help: 'Decisions that policy.shadow would have taken otherwise, by stage and difference (none, would_allow, would_deny, other_actions, other_obligations, failed).',
    labels: ['stage', 'difference'],
  },
  postern_reloads_total: {
    kind: 'counter',
    help: 'Reloads, by what (config, certificate, policy) and result (ok, failed).',
    labels: ['what', 'result'],
  },
  postern_controller_reconciles_total: {
    kind: 'counter',
    help: 'Passes of the controller over what it keeps in the cluster, by name (policies, workloads, advice) and result (ok, failed).',
    labels: ['name', 'result'],
  },
  postern_controller_policies_rejected: {
    kind: 'gauge',
    help: 'Policy ConfigMaps with a mistake; above 0 the last good bundle stays in force.',
    labels: [],
  },
  postern_controller_pods_unguarded: {
    kind: 'gauge',
    help: 'Running pods without a guard in guarded namespaces, exempt ones not counted.',
    labels: [],
  },
  postern_ready: { kind: 'gauge', help: '1 when the guard takes traffic.', labels: [] },
  postern_controller_admissions_total: {
    kind: 'counter',
    help: 'Admission reviews answered, by webhook (pods, services) and result: patched, unchanged, refused, failed.',
    labels: ['webhook', 'result'],
  },
  postern_controller_admission_seconds: {
    kind: 'histogram',
    help: 'From the end of an admission review to its answer.',
    labels: ['webhook'],
    buckets: SECONDS,
  },
  postern_controller_certificates_total: {
    kind: 'counter',
    help: 'Certificates asked for, by use (workload, server) and result: issued, refused, failed.',
    labels: ['use', 'result'],
  },
  postern_controller_certificate_end_seconds: {
    kind: 'gauge',
    help: 'When a certificate ends, Unix time, by use: authority (the one that signs), server.',
    labels: ['use'],
  },
  postern_controller_trust_reads_total: {
    kind: 'counter',
    help: 'Looks at the Secret with the CA, by result: ok, failed (cannot be read, or is damaged).',
    labels: ['result'],
  },
  postern_controller_leader: {
    kind: 'gauge',
    help: '1 while this replica is the one that writes, by lease.',
    labels: ['lease'],
  },
  postern_controller_bundle_requests_total: {
    kind: 'counter',
    help: 'Requests for the policy bundle, by result: sent, unchanged, none, refused.',
    labels: ['result'],
  },
  postern_controller_token_reviews_total: {
    kind: 'counter',
    help: 'Tokens of callers reviewed for guards, by result: answered, refused, failed.',
    labels: ['result'],
  },
  postern_behaviour_answers_total: {
    kind: 'counter',
    help: 'Answers of models, by guessed language and whether the model itself said no: given, declined. Approximate.',
    labels: ['model', 'language', 'result'],
  },
  postern_behaviour_answer_characters: {
    kind: 'histogram',
    help: 'Length of answers, in UTF-16 units.',
    labels: ['model'],
    buckets: [0, 16, 64, 256, 1024, 4096, 16_384, 65_536],
  },
  postern_behaviour_entropy_bits: {
    kind: 'histogram',
    help: 'Mean entropy of the next-token distribution over an answer, in bits a token; a lower bound.',
    labels: ['model'],
    buckets: [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 6],
  },
  postern_behaviour_entropy_max_bits: {
    kind: 'histogram',
    help: 'Highest entropy of one token of an answer, in bits; a lower bound.',
    labels: ['model'],
    buckets: [0.1, 0.5, 1, 1.5, 2, 2.5, 3, 4, 6],
  },
  postern_behaviour_flags_total: {
    kind: 'counter',
    help: 'What was odd about exchanges: entropy, tools, addresses, rates and refusals of callers, addresses and roles.',
    labels: ['flag'],
  },
  postern_behaviour_tool_calls_total: {
    kind: 'counter',
    help: 'Tools that models called, by the first role of the caller and whether the request offered the tool: yes, no.',
    labels: ['role', 'tool', 'offered'],
  },
  postern_behaviour_drift_psi: {
    kind: 'gauge',
    help: 'Population stability index of the last window against the baseline, by feature.',
    labels: ['model', 'tenant', 'feature'],
  },
  postern_behaviour_drift_p_value: {
    kind: 'gauge',
    help: 'p-value of the Kolmogorov-Smirnov test of the last window against the baseline; length and entropy only.',
    labels: ['model', 'tenant', 'feature'],
  },
  postern_behaviour_drifted: {
    kind: 'gauge',
    help: '1 when the last window is shifted from the baseline: PSI above 0.25 and above what chance explains.',
    labels: ['model', 'tenant', 'feature'],
  },
  postern_behaviour_changes_total: {
    kind: 'counter',
    help: 'Lasting changes of a mean that the Page-Hinkley test found, by feature and direction: up, down.',
    labels: ['model', 'tenant', 'feature', 'direction'],
  },
  postern_behaviour_baseline_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the baseline in use was frozen, in Unix time; 0 when there is none.',
    labels: [],
  },
  postern_behaviour_disparity_ratio: {
    kind: 'gauge',
    help: 'Favourable outcomes of a declared group by those of the group that fares best; below 0.8 the four-fifths rule speaks of adverse impact.',
    labels: ['dimension', 'group', 'outcome'],
  },
  postern_behaviour_disparity_p_value: {
    kind: 'gauge',
    help: "p-value of the two-proportion z-test behind the ratio; for length, of Welch's.",
    labels: ['dimension', 'group', 'outcome'],
  },
  postern_behaviour_disparity_adverse: {
    kind: 'gauge',
    help: '1 when the ratio is below 0.8 and p below 0.01.',
    labels: ['dimension', 'group', 'outcome'],
  },
  postern_behaviour_tracked: {
    kind: 'gauge',
    help: 'Callers, addresses and roles whose past is kept in memory.',
    labels: ['kind'],
  },
  postern_behaviour_forgotten: {
    kind: 'gauge',
    help: 'Callers, addresses and roles whose past made room for others since the start.',
    labels: ['kind'],
  },
  postern_respond_active: {
    kind: 'gauge',
    help: 'Automated responses in force, by kind: revoke, tighten, quarantine.',
    labels: ['kind'],
  },
  postern_respond_orders_total: {
    kind: 'counter',
    help: 'Responses asked for, by kind and result: began, extended, known, undone, lapsed, protected, full, throttled, failed.',
    labels: ['kind', 'result'],
  },
  postern_respond_webhooks_total: {
    kind: 'counter',
    help: 'Falco events received, by result: taken, unmatched, repeated, refused (credential), invalid, stale, full, failed.',
    labels: ['result'],
  },
  postern_respond_refused_total: {
    kind: 'counter',
    help: 'Exchanges refused or cut by a response: revoke, quarantine.',
    labels: ['kind'],
  },
  postern_respond_events_total: {
    kind: 'counter',
    help: 'Events in the shape of Falco, by result: sent, dropped (queue full), failed.',
    labels: ['result'],
  },
  postern_respond_callers: {
    kind: 'gauge',
    help: 'Callers whose refusals are counted at the moment.',
    labels: [],
  },
  postern_respond_fetches_total: {
    kind: 'counter',
    help: 'Questions of this guard to the controller about responses: new, unchanged, failed.',
    labels: ['result'],
  },
  postern_telemetry_exports_total: {
    kind: 'counter',
    help: 'Batches sent to the OpenTelemetry collector, by signal (traces, metrics) and result (ok, failed).',
    labels: ['signal', 'result'],
  },
  ...genAiMetrics,
} as const satisfies Record<string, Row>

export type MetricName = keyof typeof metrics

/** The span of a recorded trace, as hex digits: what an exemplar points to. */
export interface TraceRef {
  readonly traceId: string
  readonly spanId: string
}

/** Takes label values in the order of the metric's table row. Never throws. */
export interface Meter {
  /** Adds to a counter, or to a gauge. */
  add(name: MetricName, amount: number, ...labels: readonly string[]): void
  set(name: MetricName, value: number, ...labels: readonly string[]): void
  observe(name: MetricName, value: number, ...labels: readonly string[]): void
  /** The same meter, whose counts and observations name this trace as their exemplar. Absent where none are kept. */
  traced?(trace: TraceRef): Meter
}

export const noMeter: Meter = {
  add: () => undefined,
  set: () => undefined,
  observe: () => undefined,
}
