import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import type {
  AuthenticationV1Api,
  RequestContext,
  V1TokenReview,
  V1TokenReviewStatus,
} from '@kubernetes/client-node'
import { readBounded } from '../core/read-bounded.ts'

export interface KubernetesApiOptions {
  /** `https://kubernetes.default.svc` when absent. */
  readonly server?: string
  /** PEM file of the API server's authority; the mounted one when absent. Read again after a failed call. */
  readonly caFile?: string
  /** File of the guard's own token, read for every call; the mounted one when absent. It needs `create` on `tokenreviews`. */
  readonly tokenFile?: string
  /** For one call, in milliseconds; 3000 when absent. */
  readonly timeoutMs?: number
}

export interface TokenReviews {
  /** The API server's word on a token. Throws an Error when there is none in time. */
  review(token: string, audiences: readonly string[]): Promise<V1TokenReviewStatus>
  close(): Promise<void>
}

const MOUNTED = '/var/run/secrets/kubernetes.io/serviceaccount'
const MAX_ANSWER = 65_536

/** TokenReview (authentication.k8s.io/v1) by the Kubernetes client, over a connection of our own: bounded answers and no redirects. */
export const tokenReviews = (options: KubernetesApiOptions): TokenReviews => {
  const api = authenticationApi(options)
  return {
    review: async (token, audiences) => {
      const { client, V1TokenReview } = await api
      const spec = { token, audiences: [...audiences] }
      const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview' }
      const { status } = await client.createTokenReview({
        body: Object.assign(new V1TokenReview(), { ...kind, spec }),
      })
      if (status === undefined) throw new Error('TokenReview without status')
      return status
    },
    close: async () => {
      await (await api).close()
    },
  }
}

interface AuthenticationApi {
  readonly client: AuthenticationV1Api
  readonly V1TokenReview: typeof V1TokenReview
  close(): Promise<void>
}

// Imported only where it is configured: the client takes half a second and 50 MB.
const authenticationApi = async (options: KubernetesApiOptions): Promise<AuthenticationApi> => {
  const kubernetes = await import('@kubernetes/client-node')
  const { server = 'https://kubernetes.default.svc', tokenFile = `${MOUNTED}/token` } = options
  const connection = apiConnection(options)
  const configuration = kubernetes.createConfiguration({
    baseServer: new kubernetes.ServerConfiguration(server, {}),
    authMethods: {
      default: {
        getName: () => 'token file',
        applySecurityAuthentication: async (context: RequestContext) => {
          context.setHeaderParam('authorization', `Bearer ${(await readFile(tokenFile, 'utf8')).trim()}`)
        },
      },
    },
    httpApi: kubernetes.wrapHttpLibrary({
      send: async (context) => {
        const { status, body } = await connection.send(context)
        const answer = new kubernetes.SelfDecodingBody(Promise.resolve(body))
        return new kubernetes.ResponseContext(status, { 'content-type': 'application/json' }, answer)
      },
    }),
  })
  const { AuthenticationV1Api, V1TokenReview } = kubernetes
  return {
    client: new AuthenticationV1Api(configuration),
    V1TokenReview,
    close: () => connection.close(),
  }
}

interface ApiConnection {
  send(context: RequestContext): Promise<{ readonly status: number; readonly body: Buffer }>
  close(): Promise<void>
}

const apiConnection = ({
  caFile = `${MOUNTED}/ca.crt`,
  server,
  timeoutMs = 3_000,
}: KubernetesApiOptions): ApiConnection => {
  const plain = server?.startsWith('http:') === true
  let agent: Promise<Agent> | undefined
  const connect = async (): Promise<Agent> => {
    const tls = plain ? {} : { ca: await readFile(caFile) }
    return new Agent({ connections: 4, pipelining: 1, connect: { timeout: timeoutMs, ...tls } })
  }
  const forget = async (): Promise<void> => {
    const old = agent
    agent = undefined
    await (await old)?.destroy()
  }
  return {
    send: async (context) => {
      try {
        return await post(context, await (agent ??= connect()), AbortSignal.timeout(timeoutMs))
      } catch (error) {
        await forget().catch(() => undefined)
        throw error
      }
    },
    close: forget,
  }
}

const post = async (context: RequestContext, dispatcher: Agent, signal: AbortSignal) => {
  const { statusCode, body } = await request(context.getUrl(), {
    method: context.getHttpMethod(),
    headers: context.getHeaders(),
    body: context.getBody() as string,
    dispatcher,
    signal,
  })
  const bytes = await readBounded(body, MAX_ANSWER)
  if (bytes === undefined) throw new Error('TokenReview answer too long')
  return { status: statusCode, body: bytes }
}
