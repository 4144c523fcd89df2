import type { Answer } from '../https-server.ts'

/** What a guard is told instead of an answer. The message holds nothing of the request. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: 400 | 401 | 403 | 429 | 503
  readonly retryAfterS: number | undefined
  constructor(status: ApiError['status'], message: string, retryAfterS?: number) {
    super(message)
    this.status = status
    this.retryAfterS = retryAfterS
  }
}

export const errorAnswer = (error: ApiError): Answer => ({
  status: error.status,
  body: { error: error.message },
  headers: {
    ...(error.status === 401 && { 'www-authenticate': 'Bearer' }),
    ...(error.retryAfterS !== undefined && { 'retry-after': String(error.retryAfterS) }),
  },
})
