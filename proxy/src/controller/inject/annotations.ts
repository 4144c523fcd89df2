import { readBinds } from './bind-text.ts'
import { refuse } from './refuse.ts'
import type { Bind } from './servers.ts'
import type { InjectSettings } from './settings.ts'

/** What the owner of a pod asks for, with the settings where nothing is said. */
export interface Tuning {
  readonly container: string | undefined
  readonly port: number | undefined
  readonly mode: 'auto' | 'takeover' | 'service'
  readonly bind: readonly Bind[] | 'none' | undefined
  readonly profile: string
  readonly models: readonly string[]
  readonly secret: string | undefined
  readonly drainSeconds: number
  readonly cpu: string
  readonly memory: string
  readonly memoryLimit: string
  readonly adminPort: number | undefined
}

export const PREFIX = 'postern.dev/'
export const STATUS = 'postern.dev/status'

const NAMES = [
  'container',
  'port',
  'mode',
  'bind',
  'profile',
  'models',
  'secret',
  'drain-seconds',
  'cpu',
  'memory',
  'memory-limit',
  'admin-port',
] as const
type Name = (typeof NAMES)[number]

const DNS_NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/
const CPU = /^(?:[0-9]{1,6}(?:\.[0-9]{1,3})?|[0-9]{1,9}m)$/
const MEMORY = /^[0-9]{1,15}(?:\.[0-9]{1,3})?(?:Ki|Mi|Gi|Ti|k|M|G|T)?$/
/** Characters of one annotation. */
const MAX_TEXT = 16_384
const MODEL = /^[A-Za-z0-9._:/-]{1,128}$/

/** Reads the annotations of a pod; throws a sentence that says what to write. */
export const readTuning = (
  annotations: Readonly<Record<string, string>>,
  settings: InjectSettings,
): Tuning => {
  for (const key of Object.keys(annotations)) {
    if (!key.startsWith(PREFIX) || key === STATUS || NAMES.some((name) => key === PREFIX + name)) continue
    refuse(
      `There is no annotation ${shown(key)}; those that exist are ${NAMES.map((name) => PREFIX + name).join(', ')}.`,
    )
  }
  const read = reader(annotations)
  const memory = read('memory', matching(MEMORY), 'a quantity such as 256Mi')
  const mode = read(
    'mode',
    (text) => (text === 'auto' || text === 'takeover' || text === 'service' ? text : undefined),
    'auto, takeover or service',
  )
  return {
    container: read('container', matching(DNS_NAME), 'the name of a container of the pod'),
    port: read('port', number(1, 65_535), 'a port from 1 to 65535'),
    mode: mode ?? 'auto',
    bind: read(
      'bind',
      readBinds,
      'arg:--host, env:HOST (with the name that your server knows; several with commas) or none',
    ),
    profile:
      read('profile', (text) => (settings.profiles.has(text) ? text : undefined), profileHint(settings)) ??
      defaultProfile(settings),
    models:
      read(
        'models',
        modelList,
        'names of models with commas between, each of letters, digits and . _ : / -',
      ) ?? [],
    secret: read('secret', matching(DNS_NAME), 'the name of a Secret in the namespace of the pod'),
    drainSeconds:
      read('drain-seconds', number(0, 3600), 'whole seconds from 0 to 3600') ?? settings.drainSeconds,
    cpu: read('cpu', matching(CPU), 'a quantity such as 100m or 2') ?? settings.resources.cpu,
    memory: memory ?? settings.resources.memory,
    // Who asks for more than the usual limit, and says no more, must not get a pod that the API server refuses.
    memoryLimit:
      read('memory-limit', matching(MEMORY), 'a quantity such as 512Mi') ??
      memory ??
      settings.resources.memoryLimit,
    adminPort: read('admin-port', number(1024, 65_535), 'a port from 1024 to 65535'),
  }
}

const reader =
  (annotations: Readonly<Record<string, string>>) =>
  <T>(name: Name, parse: (text: string) => T | undefined, wanted: string): T | undefined => {
    const text = annotations[PREFIX + name]
    if (text === undefined) return undefined
    return (
      (text.length > MAX_TEXT ? undefined : parse(text)) ??
      refuse(`Annotation ${PREFIX}${name} is ${shown(text)}; write ${wanted}.`)
    )
  }

const matching =
  (pattern: RegExp) =>
  (text: string): string | undefined =>
    pattern.test(text) ? text : undefined

const number =
  (least: number, most: number) =>
  (text: string): number | undefined =>
    /^[0-9]{1,5}$/.test(text) && Number(text) >= least && Number(text) <= most ? Number(text) : undefined

const modelList = (text: string): readonly string[] | undefined => {
  const names = text.split(',').map((name) => name.trim())
  return names.every((name) => MODEL.test(name)) ? names : undefined
}

const defaultProfile = (settings: InjectSettings): string =>
  settings.profiles.has('default')
    ? 'default'
    : refuse(
        `There is no profile named default; write ${profileHint(settings)} into the annotation ${PREFIX}profile.`,
      )

const profileHint = (settings: InjectSettings): string =>
  settings.profiles.size === 0
    ? 'nothing: no profile is installed'
    : `the name of an installed profile: ${[...settings.profiles.keys()].join(', ')}`

/** Not everything that a person wrote belongs into a message. */
const shown = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text)
