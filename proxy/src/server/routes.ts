import type { Route } from '../core/exchange.ts'
import { Refusal } from '../core/refusal.ts'

export interface RouteTable {
  readonly routes: readonly Route[]
  /** Throws Refusal `route_unknown`, `method_not_allowed` or `headers_invalid` (for a query that the route does not take). */
  match(method: string, target: string): Route
}

/** Paths match as text, byte for byte: nothing is decoded, folded or cleaned up, so no spelling can name a route twice. */
export const routeTable = (routes: readonly Route[]): RouteTable => {
  const paths = new Map<string, Map<string, Route>>()
  const named = routes.filter((route) => route.named)
  for (const route of routes) {
    if (route.named) continue
    const methods = paths.get(route.path) ?? new Map<string, Route>()
    if (methods.has(route.method)) throw new Error(`two routes for ${route.method} ${route.path}`)
    paths.set(route.path, methods.set(route.method, route))
  }
  return {
    routes,
    match(method, target) {
      const mark = target.indexOf('?')
      const path = mark < 0 ? target : target.slice(0, mark)
      if (!path.startsWith('/')) throw invalid('the request target must be a path')
      const methods = paths.get(path) ?? byMethod(named.filter((route) => nameIn(path, route) !== ''))
      if (methods.size === 0) throw new Refusal('route_unknown')
      const route = methods.get(method)
      if (route === undefined) {
        throw new Refusal('method_not_allowed', { headers: { allow: [...methods.keys()].join(', ') } })
      }
      if (mark >= 0) checkQuery(target.slice(mark + 1), route)
      return route
    },
  }
}

const byMethod = (routes: readonly Route[]): ReadonlyMap<string, Route> =>
  new Map(routes.map((route) => [route.method, route]))

/** The name after the path of a `named` route, as it is spelled; empty where there is none. The target may have a query. */
export const nameIn = (target: string, { named, path }: Route): string => {
  if (!named || !target.startsWith(path)) return ''
  const mark = target.indexOf('?')
  return target.slice(path.length, mark < 0 ? undefined : mark)
}

/** Each key once, from the route's list, with a plain short value. */
const checkQuery = (query: string, route: Route): void => {
  const seen = new Set<string>()
  for (const pair of query.split('&', route.query.length + 1)) {
    const sign = pair.indexOf('=')
    const key = sign < 0 ? pair : pair.slice(0, sign)
    if (!route.query.includes(key) || seen.has(key)) throw invalid('this route does not take that query')
    if (sign < 0 || !/^[A-Za-z0-9._-]{1,64}$/.test(pair.slice(sign + 1)))
      throw invalid(`query value of ${key}`)
    seen.add(key)
  }
}

const invalid = (detail: string): Refusal => new Refusal('headers_invalid', { details: [detail] })
