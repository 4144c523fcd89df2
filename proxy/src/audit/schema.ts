import { z } from 'zod'
import { categories } from '../core/finding.ts'

/** What the members of the lines mean. Strict: a member that is not described here is a mistake of the guard. */
const text = () => z.string().max(256)
const count = () => z.int().min(0)
const digest = () => z.string().regex(/^[0-9a-f]{64}$/)
const instant = () => z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
const names = () => z.array(text()).max(64)

const common = (type: string) => ({
  v: z.literal(1).describe('Version of this format.'),
  seq: z.int().min(1).describe('Number of the line, from 1, without a gap over files and restarts.'),
  type: z.literal(type),
  prev: digest().describe(
    'SHA-256 of the bytes of the line before, without its newline; 64 zeros in line 1.',
  ),
  written: instant().describe('When the line was put into the chain.'),
})

const about = () => z.string().regex(/^[!#-[\]-~]{1,128}$/)
const signed = {
  key: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .describe('First 16 hex digits of the SHA-256 of the public key (SPKI DER).'),
  signature: z
    .string()
    .length(88)
    .describe('Ed25519 over "postern audit line 1", a newline, and the line before `,"signature"`.'),
}

const caller = z
  .strictObject({
    subject: text(),
    tenant: text(),
    roles: names(),
    scopes: names(),
    via: text().describe('The configured identifier that vouched for the caller.'),
  })
  .describe('Who called, as verified.')

const direction = z.enum(['request', 'response'])
const path = z
  .string()
  .describe('JSON pointer of the text; of a streamed answer choice/part. Keys that callers choose are `*`.')

const decision = z.strictObject({
  stage: z.enum(['request', 'response', 'tool_call', 'model']).describe('What policy was asked about.'),
  allow: z.boolean(),
  reasons: names().describe('Codes of the policy rules that fired.'),
  revision: text().describe('Revision of the policy that answered.'),
  times: z.int().min(1).describe('How often in a row this was the answer.'),
  max_tokens: count().optional().describe('Upper bound that policy put on the tokens of the answer.'),
  model: text().optional().describe('The model that answers instead of the one asked for.'),
  tools_removed: count().optional().describe('Tools that policy took out of the request.'),
})

const finding = z.strictObject({
  direction,
  path,
  rule: text().describe('Id of the scanner rule.'),
  category: z.enum(categories).optional(),
  start: count().describe('UTF-16 offset into the text as it arrived.'),
  end: count().describe('Offset after the last character.'),
  score: z.number().min(0).max(1),
  threshold: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('The score at which policy acts on the rule; absent where it looks at no score.'),
  evidence: names().optional().describe('Why: codes such as luhn or decoded:base64.'),
  action: z.enum(['ignore', 'observe', 'redact', 'block']).describe('What was done about it.'),
  by: z
    .enum(['rule', 'category', 'default', 'denied'])
    .optional()
    .describe("The entry of the policy's answer that has the action; denied: policy denied the whole."),
})

const inspected = z.strictObject({
  direction,
  path,
  length: count().describe('UTF-16 units.'),
  sha256: digest().describe('Of the text as it arrived, in UTF-8.'),
  capture: digest()
    .optional()
    .describe('SHA-256 of the line of the capture file that holds the text encrypted.'),
})

/** An `exchange` line. What lines of older guards lack is optional. */
export const exchangeLine = z.strictObject({
  ...common('exchange'),
  id: about().describe('Id of the exchange; the client has it as x-request-id.'),
  time: instant().describe('When the request arrived.'),
  route: text(),
  model: text().describe('The model asked for.'),
  upstream: text().describe('The model server that answered; empty when none did.'),
  caller: caller.nullable(),
  client: text().describe('Address of the peer of the connection.'),
  trace: text().describe('W3C trace id.'),
  span: text().optional().describe('W3C id of the span of the exchange.'),
  stream: z.boolean().optional().describe('The answer was asked for as a stream.'),
  answered: text().optional().describe('The model as the model server names it.'),
  served: z
    .strictObject({
      name: text().describe('Name in the model registry.'),
      version: text(),
      digest: text().describe('SHA-256 of the model files; empty when not known.'),
      signer: text().describe(
        'Whose signature was verified when the version was registered; empty for none.',
      ),
    })
    .optional()
    .describe('The version of the model that answered, where an alias of a registry is followed.'),
  versions: z
    .strictObject({
      guard: text().describe('Version of the guard.'),
      rules: text().describe('Digest of the rules of the scanner.'),
    })
    .optional(),
  policy: z
    .strictObject({ engine: text(), revision: text() })
    .describe('Engine, and revision that answered last.'),
  outcome: z.enum(['allowed', 'redacted', 'cut', 'refused', 'failed', 'client_gone']),
  status: count().describe('HTTP status that the client got; 0 when it got none.'),
  reasons: names().describe('Refusal code first, then reason codes of policy.'),
  decisions: z.array(decision).max(64).optional(),
  decisions_omitted: z.int().min(1).optional(),
  findings: z.array(finding).max(256),
  findings_omitted: z.int().min(1).optional(),
  tools: names()
    .optional()
    .describe('Tools that the model called, each once; * and ? stand for names that could be a text.'),
  tools_not_offered: names().optional().describe('Those of them that the request did not offer.'),
  flags: names().optional().describe('What was unusual: entropy_high, tool_not_offered, rate_caller, ...'),
  entropy: z
    .strictObject({
      tokens: count().describe('Tokens with probabilities.'),
      mean: z.number().min(0).describe('Bits a token; a lower bound.'),
      max: z.number().min(0),
    })
    .optional()
    .describe('How unsure the model was, where the model server gave probabilities.'),
  texts: z.array(inspected).max(256),
  texts_omitted: z.int().min(1).optional(),
  uninspected: count().describe('Parts that were passed on without inspection, as configured.'),
  tokens: z.strictObject({ input: count(), output: count() }).nullable(),
  timings: z.record(z.string(), z.number()).describe('Milliseconds.'),
})

export type ExchangeLine = z.infer<typeof exchangeLine>

/** Every line of the log. */
export const auditLine = z.union([
  exchangeLine.describe('An exchange ended.'),
  z
    .strictObject({ ...common('begin'), id: about(), route: text(), model: text(), caller, trace: text() })
    .describe('The model is about to be called.'),
  z
    .strictObject({
      ...common('open'),
      origin: z.enum(['first', 'rotated', 'moved', 'missing']),
      previous_seq: count(),
      public_key: z.string().optional(),
      ...signed,
    })
    .describe('A file starts.'),
  z.strictObject({ ...common('checkpoint'), ...signed }).describe('All lines so far are the guard’s.'),
  z.strictObject({ ...common('rotate'), ...signed }).describe('The file ends here.'),
  z.strictObject({ ...common('close'), ...signed }).describe('The guard stopped in good order.'),
  z
    .strictObject({
      ...common('retention'),
      first_seq: z.int().min(1).describe('First line deleted.'),
      last_seq: z.int().min(1).describe('Last line deleted.'),
      files: z.int().min(1),
      because: z.enum(['age', 'count']),
      ...signed,
    })
    .describe('The oldest rotated files are deleted, as configured.'),
  z
    .strictObject({ ...common('carry'), id: about(), begun: count() })
    .describe('This exchange was running when the last file ended.'),
  z
    .strictObject({ ...common('lost'), id: about(), begun: count() })
    .describe('This exchange began and its end was never written.'),
  z
    .strictObject({
      ...common('feedback'),
      exchange: about().describe('Id of the exchange that was judged.'),
      rule: text().describe('A rule of its findings; none: the decision as a whole.'),
      verdict: z.enum(['right', 'wrong']),
    })
    .describe('What a person said of a decision, signed in on the page for people.'),
  z
    .strictObject({
      ...common('response'),
      order: z.string().regex(/^[0-9a-f]{16}$/),
      kind: z.enum(['revoke', 'tighten', 'quarantine']),
      step: z.enum(['began', 'extended', 'undone', 'lapsed']),
      target: z.record(text(), text()).describe('The caller, the overlay or the pod.'),
      by: text().describe('falco:RULE, refusals, operator:NAME, or expiry.'),
      event: text().describe('uuid of the event behind it; empty when there is none.'),
      until: instant().describe('Until when it holds, or held.'),
    })
    .describe('An automated response to a threat began or ended.'),
  z
    .strictObject({
      ...common('recovered'),
      torn_bytes: count().optional(),
      unpromised: count().optional(),
      lost: count().optional(),
      unwritten: count().optional(),
    })
    .describe('The guard started after a crash, or the disk took writes again.'),
])
