import type { Json, JsonObject } from '../core/json.ts'

type Family = 'openai' | 'anthropic'

/** The body for `GET /v1/models`. The Anthropic family is for requests that have an `anthropic-version` header. */
export const writeModelList = (family: Family, names: readonly string[]): Json => {
  const data = names.map((name) => writeModel(family, name))
  return family === 'openai'
    ? { object: 'list', data }
    : { data, has_more: false, first_id: names[0] ?? null, last_id: names.at(-1) ?? null }
}

/** The body for `GET /v1/models/{name}`. When a model was made is not known here: both families give the start of the epoch. */
export const writeModel = (family: Family, id: string): JsonObject =>
  family === 'openai'
    ? { id, object: 'model', created: 0, owned_by: 'postern' }
    : { type: 'model', id, display_name: id, created_at: '1970-01-01T00:00:00Z' }
