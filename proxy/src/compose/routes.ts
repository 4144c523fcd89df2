import type { Config } from '../config/schema.ts'
import type { Dialect, ErrorShape } from '../core/dialect.ts'
import type { Route } from '../core/exchange.ts'
import { anthropicMessages } from '../dialects/anthropic-messages.ts'
import { anthropicError, openaiError, plainError } from '../dialects/errors.ts'
import { openaiChat } from '../dialects/openai-chat.ts'
import { openaiCompletions } from '../dialects/openai-completions.ts'
import { openaiEmbeddings } from '../dialects/openai-embeddings.ts'
import { chat, llm } from '../dialects/simple.ts'
import { builtInRoutes } from '../core/routes.ts'
import type { UninspectedUpstream } from '../server/uninspected.ts'
import { readOptional } from './files.ts'
import { credentialOf } from './upstreams.ts'

/** By the name of the route that speaks it. */
export const dialects: ReadonlyMap<string, Dialect> = new Map([
  ['openai.chat', openaiChat],
  ['openai.completions', openaiCompletions],
  ['openai.embeddings', openaiEmbeddings],
  ['anthropic.messages', anthropicMessages],
  ['simple.llm', llm],
  ['simple.chat', chat],
])

/** How the API family of a route writes an error. Before a route is known, clients of the OpenAI API are the most likely. */
export const errorShapeOf = (route: Route | undefined): ErrorShape => {
  const family = route?.name.split('.')[0]
  if (family === 'anthropic') return anthropicError
  return family === 'openai' || route === undefined ? openaiError : plainError
}

/** The built-in routes less those switched off and those that nobody could use, and the uninspected ones. */
export const composeRoutes = (config: Config): readonly Route[] => {
  const off = new Set(config.routes.filter(({ enabled }) => !enabled).map(({ name }) => name))
  const { local } = config.identity
  if (local?.usersFile === undefined) off.add('auth')
  if (local?.clientsFile === undefined) off.add('oauth.token')
  if (!local) off.add('jwks')
  const kept = builtInRoutes.filter(({ name }) => !off.has(name))
  return [...kept, ...uninspectedRoutes(config).map(({ route }) => route)]
}

const uninspectedRoutes = (config: Config) =>
  config.routes
    .filter(({ inspect, enabled }) => enabled && !inspect)
    .map(({ name, method, path, upstream, upstreamPath }) => {
      if (path === undefined || upstream === undefined)
        throw new Error(`routes: ${name} needs a path and an upstream`)
      const route: Route = {
        name,
        method,
        path,
        kind: 'uninspected',
        dialect: undefined,
        body: 'any',
        query: [],
        inspect: false,
      }
      return { route, upstream, upstreamPath: upstreamPath ?? path }
    })

/** Where uninspected routes lead, by route name. */
export const uninspectedUpstreams = (config: Config): Readonly<Record<string, UninspectedUpstream>> =>
  Object.fromEntries(
    uninspectedRoutes(config).map(({ route, upstream, upstreamPath }) => {
      const target = config.upstreams.find(({ name }) => name === upstream)
      if (!target) throw new Error(`routes: ${route.name} leads to ${upstream}, which is no upstream`)
      const credential = credentialOf(target)
      return [
        route.name,
        {
          url: target.url.replace(/\/$/, '') + upstreamPath,
          headers: credential ? { [credential.header]: credential.value } : {},
          ca: readOptional(target.tls?.caFile),
          idleTimeoutMs: target.timeouts.idleMs,
        },
      ]
    }),
  )
