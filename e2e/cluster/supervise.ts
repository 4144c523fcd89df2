import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cache } from './folders.ts'
import { eventually, tail } from './processes.ts'
import type { Cluster, Tier } from './tiers.ts'
import { up } from './up.ts'

/** A cluster that a developer keeps between runs: a process in the background owns it. */
export interface Kept {
  readonly pid: number
  readonly kubeconfig: string
  readonly loader: readonly string[]
}

const stateOf = (tier: Tier): string => join(cache, `${tier}.json`)
const logOf = (tier: Tier): string => join(cache, `${tier}.log`)

export const kept = (tier: Tier): Kept | undefined => {
  if (!existsSync(stateOf(tier))) return undefined
  const state = JSON.parse(readFileSync(stateOf(tier), 'utf8')) as Kept
  return isSupervisor(state.pid) ? state : undefined
}

/** The number may be somebody else's by now. */
const isSupervisor = (pid: number): boolean =>
  existsSync(`/proc/${pid}/cmdline`) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('supervise')

/** Starts the background process and waits until its cluster is up. */
export const keep = async (tier: Tier): Promise<Kept> => {
  if (kept(tier)) throw new Error(`the ${tier} cluster is up already`)
  mkdirSync(cache, { recursive: true })
  rmSync(stateOf(tier), { force: true })
  const log = openSync(logOf(tier), 'w')
  const child = spawn(process.execPath, [join(import.meta.dirname, 'cluster.ts'), 'supervise', tier], {
    stdio: ['ignore', log, log],
    detached: true,
  })
  closeSync(log)
  child.unref()
  const until = performance.now() + 240_000
  while (performance.now() < until && child.exitCode === null) {
    const state = kept(tier)
    if (state) return state
    await sleep(100)
  }
  throw new Error(`the ${tier} cluster did not come up (${logOf(tier)}):\n${tail(logOf(tier))}`)
}

/** The background process: owns the cluster until it is told to end. */
export const supervise = async (tier: Tier): Promise<void> => {
  const cluster: Cluster = await up(tier)
  const end = (): void => {
    rmSync(stateOf(tier), { force: true })
    void cluster.down().then(() => process.exit(0))
  }
  process.once('SIGTERM', end)
  process.once('SIGINT', end)
  const { kubeconfig, loader } = cluster
  writeFileSync(stateOf(tier), JSON.stringify({ pid: process.pid, kubeconfig, loader } satisfies Kept))
  setInterval(() => undefined, 1 << 30)
}

/** Ends it; nothing stays. */
export const dismiss = async (tier: Tier): Promise<void> => {
  const state = kept(tier)
  if (!state) return
  process.kill(state.pid, 'SIGTERM')
  await eventually(
    () =>
      isSupervisor(state.pid) ? Promise.reject(new Error('the cluster does not end')) : Promise.resolve(),
    60,
  )
}
