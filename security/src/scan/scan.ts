import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { failed, passed, skipped, timed, type Outcome, type Told } from '../pipeline/step.ts'
import { imageBom, lockBom, type Written } from './bom.ts'
import { judge, type Judged, type Rules } from './judge.ts'
import { licencesOf, type Unlicensed } from './licences.ts'
import { scanImage, scanLock, type Scanned } from './sources.ts'
import type { Place } from './sarif.ts'
import type { Vulnerability } from './vulnerability.ts'

export interface ScanOptions {
  readonly lock: string
  readonly images: readonly ImageToScan[]
  readonly rules: Rules
  /** Where the bills of materials go; none are made when absent. */
  readonly bomFolder: string | undefined
  readonly offline: boolean
  /** What is not looked at fails: for machines that have every scanner, such as those of CI. */
  readonly complete: boolean
}

export interface ImageToScan {
  readonly image: string
  /** What it is built from; findings are shown there. */
  readonly recipe: string
}

export interface Scan {
  readonly outcomes: readonly Outcome[]
  readonly places: readonly Place[]
  readonly vulnerabilities: readonly Vulnerability[]
}

/** Every part of the scan. A part that breaks has failed, with the reason; the others still run. */
export const scan = async (options: ScanOptions): Promise<Scan> => {
  const { lock, images, rules, bomFolder, offline } = options
  const outcomes: Outcome[] = []
  const places: Place[] = []
  const step = async (name: string, check: () => Promise<Told>): Promise<void> => {
    const outcome = await timed(name, check)
    outcomes.push(
      options.complete && outcome.result === 'skipped' ? { ...outcome, result: 'failed' } : outcome,
    )
  }
  const weaknesses = (file: string, look: () => Promise<Scanned>) => async (): Promise<Told> => {
    const scanned = await look()
    if ('missing' in scanned) return skipped(scanned.missing)
    const judged = judge(scanned.vulnerabilities, rules)
    places.push({ file, judged, unlicensed: [] })
    return weaknessesTold(scanned.by, judged)
  }
  if (bomFolder !== undefined) mkdirSync(bomFolder, { recursive: true })
  await step(
    'lock file',
    weaknesses(lock, () => scanLock(lock, { offline })),
  )
  await step('licences', () =>
    Promise.resolve().then(() => {
      const { shipped, wrong } = licencesOf(lock)
      places.push({ file: lock, judged: [], unlicensed: wrong })
      return licencesTold(shipped, wrong)
    }),
  )
  if (bomFolder !== undefined)
    await step('bill of materials', async () =>
      bomTold(await lockBom(lock, join(bomFolder, 'packages.cdx.json'))),
    )
  for (const { image, recipe } of images) {
    await step(
      `image ${image}`,
      weaknesses(recipe, () => scanImage(image, { offline })),
    )
    if (bomFolder !== undefined)
      await step(`bill of ${image}`, async () =>
        bomTold(await imageBom(image, join(bomFolder, `${image.replace(/[^\w.-]+/g, '_')}.cdx.json`))),
      )
  }
  const vulnerabilities = places.flatMap(({ judged }) => judged.map(({ vulnerability }) => vulnerability))
  return { outcomes, places, vulnerabilities }
}

const weaknessesTold = (by: string, judged: readonly Judged[]): Told => {
  const bad = judged.filter(({ fails }) => fails)
  const rest = `${by}: ${judged.length - bad.length} known weaknesses that do not fail`
  return bad.length === 0
    ? passed(rest)
    : failed(`${by}: ${bad.length} known weaknesses that somebody has fixed; ${rest}`)
}

const licencesTold = (shipped: number, wrong: readonly Unlicensed[]): Told =>
  wrong.length === 0
    ? passed(`${shipped} shipped packages, all under allowed licences`)
    : failed(`${wrong.length} of ${shipped} shipped packages have a licence that is not allowed`)

const bomTold = (written: Written): Told =>
  'missing' in written ? skipped(written.missing) : passed(`CycloneDX with ${written.components} components`)
