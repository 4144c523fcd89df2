import type { Route } from './exchange.ts'

/** What Postern serves unless configuration leaves it out. Every other path, method or spelling is refused. */
export const builtInRoutes: readonly Route[] = [
  dialect('openai.chat', '/v1/chat/completions'),
  dialect('openai.completions', '/v1/completions'),
  dialect('openai.embeddings', '/v1/embeddings'),
  // The beta namespaces of the Anthropic clients add this key; the server reads the header instead.
  dialect('anthropic.messages', '/v1/messages', ['beta']),
  dialect('simple.llm', '/llm'),
  dialect('simple.chat', '/chat'),
  own('openai.models', 'models', { method: 'GET', path: '/v1/models', body: 'none' }),
  { ...own('openai.models', 'models', { method: 'GET', path: '/v1/models/', body: 'none' }), named: true },
  own('auth', 'auth', { method: 'POST', path: '/auth', body: 'json' }),
  own('oauth.token', 'token', { method: 'POST', path: '/oauth/token', body: 'form' }),
  own('jwks', 'jwks', { method: 'GET', path: '/.well-known/jwks.json', body: 'none' }),
  own('health', 'health', { method: 'GET', path: '/healthz', body: 'none' }),
]

/** The path as documents write it. */
export const shownPath = ({ path, named }: Pick<Route, 'path' | 'named'>): string =>
  named ? `${path}{name}` : path

function dialect(name: string, path: string, query: readonly string[] = []): Route {
  return { name, method: 'POST', path, kind: 'dialect', dialect: name, body: 'json', query, inspect: true }
}

function own(name: string, kind: Route['kind'], row: Pick<Route, 'method' | 'path' | 'body'>): Route {
  return { name, kind, dialect: undefined, query: [], inspect: true, ...row }
}
