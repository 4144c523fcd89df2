import type { Json } from '../core/json.ts'
import { readJson, type JsonLimits } from '../core/strict-json.ts'
import { recorded, sendJson, type RecordedSteps } from './recorded.ts'

/** Where tokens come from for those who have no issuer. */
export interface TokenSource {
  auth(body: Json): Promise<unknown>
  token(
    form: string,
    authorization: string | undefined,
  ): Promise<{
    readonly status: number
    readonly headers: Readonly<Record<string, string>>
    readonly body: unknown
  }>
  jwks(): unknown
}

/** `POST /auth`: username and password for a short-lived token. */
export const passwordLogin = (steps: RecordedSteps, source: TokenSource, json: JsonLimits) =>
  recorded(steps, async (received, notes) => {
    await sendJson(notes, await source.auth(readJson(await received.body(), json)))
  })

/** `POST /oauth/token`: client credentials (RFC 6749, section 4.4). Its errors are answers of their own shape. */
export const clientLogin = (steps: RecordedSteps, source: TokenSource) =>
  recorded(steps, async (received, notes) => {
    const form = Buffer.from(await received.body()).toString('utf8')
    const { status, headers, body } = await source.token(form, received.presented.headers['authorization'])
    notes.status = status
    if (status !== 200) notes.outcome = 'refused'
    const all = { 'content-type': 'application/json', ...headers }
    await received.answer.whole(status, all, JSON.stringify(body))
  })

/** `GET /.well-known/jwks.json`: public by design. */
export const publishKeys = (steps: RecordedSteps, source: TokenSource) =>
  recorded(steps, (_received, notes) => sendJson(notes, source.jwks()))
