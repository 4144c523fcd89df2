import type { Config } from '../config/schema.ts'
import type { Route } from '../core/exchange.ts'
import type { Json } from '../core/json.ts'

/** Per route: what is scanned, what is skipped and why, what is refused. */
export const coverage = (routes: readonly Route[], config: Config): Json =>
  routes.map(({ name, method, path, inspect, kind }) => ({
    name,
    method,
    path,
    kind,
    inspect,
    nonText: config.inspection.allowNonText,
  }))
