import { isDeepStrictEqual } from 'node:util'
import type { Log } from '../../core/log.ts'
import { KubeError, type KubeApi, type KubeObject } from './api.ts'
import { backoff } from './backoff.ts'

export interface Informer<Kept> {
  /** All there are, as last seen. */
  readonly list: () => readonly Kept[]
  /** `namespace` is empty for what has none. */
  readonly get: (namespace: string, name: string) => Kept | undefined
  /** Whether the first list was read. */
  readonly synced: () => boolean
  /** Ends the watch; `list` stays as it is. */
  close(): Promise<void>
}

export interface InformerOptions<Raw extends KubeObject, Kept> {
  readonly api: KubeApi
  /** Of the collection, such as `/api/v1/pods`. */
  readonly path: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** What of an object is kept in memory. */
  readonly keep: (object: Raw) => Kept
  /** After each change of what is kept. Must not throw. */
  readonly onChange: () => void
  readonly log: Log
}

const PAGE = 500
/** Seconds after which the server ends a watch; then the next one begins where it ended. */
const WATCH_S = 290
/** A list is read again after this long, in case an event was lost. */
const RELIST_MS = 1_800_000

/**
 * Follows a collection: lists it in pages, then watches with bookmarks. A watch that ends is begun again where it was; after 410 Gone, any
 * other error, or half an hour it is listed anew, with growing pauses between failures. Never throws, never gives up.
 */
export const startInformer = <Raw extends KubeObject, Kept>(
  options: InformerOptions<Raw, Kept>,
): Informer<Kept> => {
  const { log, path } = options
  const ending = new AbortController()
  const wait = backoff()
  const cache = cacheOf(options)

  const follow = async (): Promise<void> => {
    const listed = await listAll(options, ending.signal)
    cache.replace(listed.items as readonly Raw[])
    const relist = performance.now() + RELIST_MS
    for (let version = listed.version; performance.now() < relist;) {
      for await (const event of watchFrom(options, version, ending.signal)) {
        wait.reset()
        cache.apply(event as WatchEvent<Raw>)
        version = event.object.metadata.resourceVersion ?? version
      }
      // A server that ends every watch at once must not be asked in a tight loop.
      await wait.pause(ending.signal)
    }
  }
  const ended = (): boolean => ending.signal.aborted
  const run = async (): Promise<void> => {
    while (!ended()) {
      try {
        await follow()
      } catch (error) {
        if (!ended() && !(error instanceof KubeError && error.status === 410)) {
          log.warn('watch_failed', { path, cause: error instanceof Error ? error : new Error(String(error)) })
        }
        await wait.pause(ending.signal).catch(() => undefined)
      }
    }
  }
  const running = run()

  return {
    list: cache.list,
    get: cache.get,
    synced: cache.synced,
    close: async () => {
      ending.abort()
      await running
    },
  }
}

interface Cache<Raw, Kept> {
  readonly list: () => readonly Kept[]
  readonly get: (namespace: string, name: string) => Kept | undefined
  readonly synced: () => boolean
  readonly replace: (objects: readonly Raw[]) => void
  readonly apply: (event: WatchEvent<Raw>) => void
}

const cacheOf = <Raw extends KubeObject, Kept>({
  keep,
  onChange,
}: InformerOptions<Raw, Kept>): Cache<Raw, Kept> => {
  let kept = new Map<string, Kept>()
  let synced = false
  return {
    list: () => [...kept.values()],
    get: (namespace, name) => kept.get(`${namespace}/${name}`),
    synced: () => synced,
    replace: (objects) => {
      kept = new Map(objects.map((object) => [keyOf(object), keep(object)]))
      synced = true
      onChange()
    },
    apply: ({ type, object }) => {
      if (type === 'BOOKMARK') return
      const key = keyOf(object)
      if (type === 'DELETED') {
        kept.delete(key)
      } else {
        const next = keep(object)
        if (isDeepStrictEqual(kept.get(key), next)) return
        kept.set(key, next)
      }
      onChange()
    },
  }
}

const listAll = async (
  collection: Collection,
  signal: AbortSignal,
): Promise<{ readonly items: readonly KubeObject[]; readonly version: string }> => {
  const items: KubeObject[] = []
  let version = ''
  for await (const page of listPages(collection, signal)) {
    items.push(...page.items)
    version = page.metadata.resourceVersion ?? version
  }
  return { items, version }
}

/** The whole collection, 500 objects at a time. */
export async function* listPages(
  { api, path, ...selectors }: Collection,
  signal: AbortSignal,
): AsyncIterable<Page> {
  for (let more = ''; ;) {
    const query = queryOf(selectors, { limit: String(PAGE), ...(more === '' ? {} : { continue: more }) })
    const page = await api.call<Page>({ method: 'GET', path: `${path}?${query}`, signal })
    yield page
    more = page.metadata.continue ?? ''
    if (more === '') return
  }
}

export interface Collection {
  readonly api: KubeApi
  readonly path: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

interface Page {
  readonly items: readonly KubeObject[]
  readonly metadata: { readonly continue?: string; readonly resourceVersion?: string }
}

interface WatchEvent<Raw> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: Raw
}

async function* watchFrom(
  { api, path, ...selectors }: Collection,
  version: string,
  signal: AbortSignal,
): AsyncIterable<WatchEvent<KubeObject>> {
  const query = queryOf(selectors, {
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: version,
    timeoutSeconds: String(WATCH_S),
  })
  for await (const line of api.watch(`${path}?${query}`, signal)) {
    const event = line as WatchEvent<KubeObject> | { readonly type: 'ERROR'; readonly object: Status }
    if (event.type === 'ERROR') throw new KubeError(event.object.code ?? 500, 'the watch ended with an error')
    yield event
  }
}

interface Status {
  readonly code?: number
}

const queryOf = (
  { labelSelector, fieldSelector }: Omit<Collection, 'api' | 'path'>,
  more: Readonly<Record<string, string>>,
): string =>
  new URLSearchParams({
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...more,
  }).toString()

const keyOf = ({ metadata: { namespace = '', name } }: KubeObject): string => `${namespace}/${name}`
