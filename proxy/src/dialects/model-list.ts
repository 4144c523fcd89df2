import type { Json } from '../core/json.ts'

/** The body for `GET /v1/models`. The Anthropic family is for requests that have an `anthropic-version` header. */
export const writeModelList = (family: 'openai' | 'anthropic', names: readonly string[]): Json =>
  family === 'openai'
    ? {
        object: 'list',
        data: names.map((id) => ({ id, object: 'model', created: 0, owned_by: 'postern' })),
      }
    : {
        data: names.map((id) => ({
          type: 'model',
          id,
          display_name: id,
          created_at: '1970-01-01T00:00:00Z',
        })),
        has_more: false,
        first_id: names[0] ?? null,
        last_id: names.at(-1) ?? null,
      }
