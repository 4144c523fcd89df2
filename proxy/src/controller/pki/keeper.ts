import { createPrivateKey } from 'node:crypto'
import type { Log } from '../../core/log.ts'
import type { Meter } from '../../core/metrics.ts'
import type { Leader } from '../leader.ts'
import type { Trust } from '../trust.ts'
import type { SecretStore, StoredState } from './secret.ts'
import {
  authoritiesPem,
  bundleKeysPem,
  isRotationDue,
  isSettled,
  newGeneration,
  readGenerations,
  rotated,
  StateError,
  trustedAt,
  type Generation,
  type GenerationOptions,
  type Generations,
} from './state.ts'
import { signLeaf, type LeafRequest } from './x509.ts'

export interface KeeperOptions extends GenerationOptions {
  readonly store: SecretStore
  readonly leader: Leader
  /** Between two looks at the Secret, in milliseconds; 10000 when absent. */
  readonly pollMs?: number
  /** Tells people of a new CA. */
  readonly announce: (message: string) => void
  readonly log: Log
  readonly meter: Meter
  readonly now?: () => number
}

export interface IssuedCertificate {
  /** PEM chain, leaf first. The CA itself is not in it. */
  readonly certificate: string
  /** PEM bundle of all trusted CAs. */
  readonly authorities: string
}

export interface AuthorityKeeper extends Trust {
  /** By what the Secret holds now. Throws Error when there is no CA that lives. */
  sign(leaf: LeafRequest): Promise<IssuedCertificate>
  /** Why nothing can be signed or what is known may be old; undefined when all is well. */
  unready(): string | undefined
  /** Looks at the Secret, not before now; calls that wait share one look. Never rejects. */
  look(): Promise<void>
  close(): Promise<void>
}

const POLL_MS = 10_000

/** The bundle format of OPA names a key; guards know one by this name. */
const KEYID = 'postern'

/**
 * Keeps the CA in the Secret: made once by whichever replica comes first, renewed by the leader, followed by all. Rejects when the Secret is
 * damaged or cannot be read; later a bad Secret is told and what was known stays in force.
 */
export const keepAuthority = async (options: KeeperOptions): Promise<AuthorityKeeper> => {
  const { leader, meter, now = Date.now, pollMs = POLL_MS } = options
  const secret = await followSecret(options)
  const listeners = new Set<() => void>()
  let view = ''
  const trusted = (): readonly Generation[] => trustedAt(secret.generations(), now())
  const signer = (): Generation => {
    const [first] = trusted()
    if (first === undefined) throw new Error('every CA has ended; the leader makes a new one')
    return first
  }
  const tellChange = (): void => {
    const all = trusted()
    meter.set('postern_controller_certificate_end_seconds', (all[0]?.notAfter ?? 0) / 1000, 'authority')
    const next = authoritiesPem(all) + bundleKeysPem(all)
    if (next === view) return
    view = next
    for (const listener of listeners) listener()
  }
  let running: Promise<void> = Promise.resolve()
  let queued: Promise<void> | undefined
  const look = (): Promise<void> => {
    queued ??= running = running
      .then(() => {
        queued = undefined
        return secret.look()
      })
      .then(tellChange)
    return queued
  }
  tellChange()
  const timer = setInterval(() => void look(), pollMs)
  const stop = leader.onChange((leading) => void (leading && look()))
  return {
    authorities: () => authoritiesPem(trusted()),
    bundleKeys: () => bundleKeysPem(trusted()),
    bundleSigner: () => {
      const privateKey = createPrivateKey(signer().bundleKey)
      return { keyid: KEYID, algorithm: 'ES256', privateKey }
    },
    onChange: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    sign: async (leaf) => {
      // A guard asks because it was told of a change by the leader, which this replica may not have seen yet.
      await look()
      const certificate = await signLeaf(signer(), leaf)
      return { certificate, authorities: authoritiesPem(trusted()) }
    },
    unready: () => (trusted().length === 0 ? 'every CA has ended' : undefined),
    look,
    close: async () => {
      clearInterval(timer)
      stop()
      await running
    },
  }
}

interface Followed {
  generations(): Generations
  /** Never rejects. */
  look(): Promise<void>
}

const followSecret = async (options: KeeperOptions): Promise<Followed> => {
  const { store, leader, log, meter, now = Date.now } = options
  let known = await firstState(options)
  let failure: string | undefined

  const rotate = async (state: StoredState): Promise<void> => {
    const next = await rotated(known.generations, options, now())
    if (!leader.leading() || !(await store.replace(next, state, 'rotation'))) return
    known = { generations: next, text: '' }
    const signsFrom = new Date(next.at(-1)?.signsFrom ?? 0).toISOString()
    log.info('authority_rotated', { signs_from: signsFrom, trusted: next.length })
    options.announce(`A new CA is trusted from now on and signs from ${signsFrom}.`)
  }
  const retire = async (state: StoredState): Promise<void> => {
    const newest = known.generations.slice(-1)
    if (!(await store.replace(newest, state, 'retirement'))) return
    log.warn('authority_retired', { retired: known.generations.length - 1 })
    options.announce('Only the newest CA is trusted from now on, as the annotation postern.dev/retire asked.')
    known = { generations: newest, text: '' }
  }
  const follow = async (): Promise<void> => {
    const state = await store.read()
    if (state === undefined) {
      // Deleted under our feet. Guards trust what we have, so that is put back.
      if (leader.leading() && (await store.create(known.generations))) log.warn('authority_restored')
      return
    }
    if (state.text !== known.text) {
      const generations = readGenerations(state.text)
      if (!generations.some(({ certificate }) => hasCertificate(known.generations, certificate)))
        log.warn('authority_replaced')
      known = { generations, text: state.text }
    }
    const due = state.rotationAsked || isRotationDue(known.generations, now(), options.lifeMs)
    if (!leader.leading()) return
    if (due) await rotate(state)
    else if (state.retirementAsked && isSettled(known.generations, now(), options.settleMs))
      await retire(state)
  }
  const look = async (): Promise<void> => {
    try {
      await follow()
      if (failure !== undefined) log.info('authority_read_again')
      failure = undefined
      meter.add('postern_controller_trust_reads_total', 1, 'ok')
    } catch (error) {
      const { message } = error as Error
      if (message !== failure) log.error('authority_unreadable', { why: message, kept: true })
      failure = message
      meter.add('postern_controller_trust_reads_total', 1, 'failed')
    }
  }
  return { generations: () => known.generations, look }
}

interface Known {
  readonly generations: Generations
  /** Empty when it was written by us and not read since. */
  readonly text: string
}

const hasCertificate = (generations: Generations, certificate: string): boolean =>
  generations.some((one) => one.certificate === certificate)

/** Two replicas that start at once both try to create; the second one reads what the first one wrote. */
const firstState = async (options: KeeperOptions): Promise<Known> => {
  const { store, log, now = Date.now } = options
  for (let attempt = 0; attempt < 3; attempt++) {
    const state = await store.read()
    if (state !== undefined) return { generations: readGenerations(state.text), text: state.text }
    const generations = [await newGeneration(options, { now: now(), signsFrom: now() })]
    if (await store.create(generations)) {
      log.info('authority_created')
      return { generations, text: '' }
    }
  }
  throw new StateError('the Secret with the CA is deleted again and again; end what does that')
}
