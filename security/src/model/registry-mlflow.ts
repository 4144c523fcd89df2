import { keepLast, type Change, type Model, type Registry, type Version } from './registry.ts'

export interface MlflowOptions {
  /** Base URL of the tracking server, such as `http://mlflow:5000`. */
  readonly url: string
  /** Bearer token; undefined for a server without authentication. */
  readonly token: string | undefined
  readonly timeoutMs?: number
}

/**
 * MLflow's model registry over its REST API 2.0. Aliases are MLflow's own; what MLflow has no field for stands in tags that begin with
 * `postern.`. Versions are numbered by MLflow.
 */
export const mlflowRegistry = (options: MlflowOptions): Registry => {
  const api = client(options)
  const modelOf = async ({ name, aliases = [], tags = [] }: MlflowModel): Promise<Model> => ({
    name,
    versions: await versionsOf(api, name),
    aliases: Object.fromEntries(aliases.map(({ alias, version }) => [alias, version])),
    history: historyIn(tag(tags, 'postern.history')),
  })
  const model = async (name: string): Promise<Model | undefined> => {
    const answer = await api.get('registered-models/get', { name }).catch(notFound)
    return answer === undefined
      ? undefined
      : modelOf((answer as { registered_model: MlflowModel }).registered_model)
  }
  return {
    model,
    models: async () => {
      const answer = (await api.get('registered-models/search', { max_results: '1000' })) as {
        registered_models?: MlflowModel[]
      }
      return Promise.all((answer.registered_models ?? []).map(modelOf))
    },
    add: async (name, { source, servesAs, digest, signer }) => {
      if ((await model(name)) === undefined) await api.post('registered-models/create', { name })
      const tags = Object.entries({ serves_as: servesAs, digest, signer }).map(([key, value]) => ({
        key: `postern.${key}`,
        value,
      }))
      const made = (await api.post('model-versions/create', { name, source, tags })) as {
        model_version: MlflowVersion
      }
      return made.model_version.version
    },
    point: async (name, change) => {
      const known = await model(name)
      if (!known?.versions.some(({ version }) => version === change.version))
        throw new Error(`${name} has no version ${change.version}; register it first`)
      const { alias, version } = change
      await api.post('registered-models/alias', { name, alias, version })
      const value = JSON.stringify(keepLast([...known.history, change]))
      await api.post('registered-models/set-tag', { name, key: 'postern.history', value })
    },
  }
}

const versionsOf = async (api: Client, name: string): Promise<readonly Version[]> => {
  const found: MlflowVersion[] = []
  let page = ''
  do {
    const query = {
      filter: `name='${name}'`,
      max_results: '200',
      ...(page === '' ? {} : { page_token: page }),
    }
    const answer = (await api.get('model-versions/search', query)) as {
      model_versions?: MlflowVersion[]
      next_page_token?: string
    }
    found.push(...(answer.model_versions ?? []))
    page = answer.next_page_token ?? ''
  } while (page !== '' && found.length < MAX_VERSIONS)
  return found.map(versionOf).sort((a, b) => Number(a.version) - Number(b.version))
}

const MAX_VERSIONS = 10_000

interface Tag {
  readonly key: string
  readonly value: string
}

interface MlflowVersion {
  readonly version: string
  readonly source?: string
  readonly tags?: readonly Tag[]
}

interface MlflowModel {
  readonly name: string
  readonly aliases?: readonly { readonly alias: string; readonly version: string }[]
  readonly tags?: readonly Tag[]
}

const tag = (tags: readonly Tag[], wanted: string): string =>
  tags.find(({ key }) => key === wanted)?.value ?? ''

const versionOf = ({ version, source = '', tags = [] }: MlflowVersion): Version => ({
  version,
  source,
  servesAs: tag(tags, 'postern.serves_as'),
  digest: tag(tags, 'postern.digest'),
  signer: tag(tags, 'postern.signer'),
})

const historyIn = (text: string): readonly Change[] => {
  try {
    return text === '' ? [] : (JSON.parse(text) as Change[])
  } catch {
    return [] // somebody edited the tag; aliases themselves do not depend on it
  }
}

interface Client {
  get(path: string, query: Readonly<Record<string, string>>): Promise<unknown>
  post(path: string, body: object): Promise<unknown>
}

class MlflowError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const notFound = (error: unknown): undefined => {
  if (error instanceof MlflowError && error.code === 'RESOURCE_DOES_NOT_EXIST') return undefined
  throw error
}

const client = ({ url, token, timeoutMs = 30_000 }: MlflowOptions): Client => {
  const send = async (path: string, init: RequestInit): Promise<unknown> => {
    const headers = {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    const address = new URL(`api/2.0/mlflow/${path}`, url.endsWith('/') ? url : `${url}/`)
    const response = await fetch(address, { ...init, headers, signal: AbortSignal.timeout(timeoutMs) }).catch(
      (cause: unknown) => {
        throw new Error(`MLflow at ${url} does not answer`, { cause })
      },
    )
    const answer = (await response.json().catch(() => ({}))) as { error_code?: string; message?: string }
    if (response.ok) return answer
    throw new MlflowError(
      answer.error_code ?? '',
      `MLflow answered ${response.status} to ${path}: ${(answer.message ?? '').slice(0, 200)}`,
    )
  }
  return {
    get: (path, query) => send(`${path}?${new URLSearchParams(query).toString()}`, { method: 'GET' }),
    post: (path, body) => send(path, { method: 'POST', body: JSON.stringify(body) }),
  }
}
