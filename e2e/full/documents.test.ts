import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { api } from '../support/api.ts'
import { runStep, stepsOf, workplace, type Step, type Workplace } from '../support/documents.ts'
import { RELEASE, uninstall } from '../support/installation.ts'

/** In the order in which a reader comes to them: each goes on where the last one ended. */
const DOCUMENTS = ['install.md', 'guard-a-deployment.md', 'production.md']

const FLAGS =
  '--set image.repository=postern.local/postern,image.tag=e2e,image.pullPolicy=Never,certificates.settleSeconds=5'

const read = (name: string): readonly Step[] =>
  stepsOf(name, readFileSync(join(import.meta.dirname, '../../charts/docs', name), 'utf8'))

const MADE = ['chat', 'apps', 'hosted']
let place: Workplace
/** A step means nothing after one that failed. */
let failed: string | undefined

const clean = async (): Promise<void> => {
  const { kubectl } = await api()
  await uninstall()
  await kubectl(['delete', 'namespace', ...MADE, RELEASE, '--ignore-not-found', '--wait'])
}

beforeAll(async () => {
  await clean()
  place = workplace({
    kubeconfig: (await api()).kubeconfig,
    image: 'postern.local/postern:e2e',
    chartFlags: process.env.POSTERN_CHART_FLAGS ?? FLAGS,
  })
}, 300_000)

afterAll(async () => {
  await clean()
  rmSync(place.folder, { recursive: true, force: true })
}, 300_000)

describe.each(DOCUMENTS)('what charts/docs/%s tells to type does what it says', (name) => {
  const steps = read(name)
  expect(steps.length).toBeGreaterThan(3)

  test.each(steps.map((step) => [`${step.at} ${step.commands.split('\n')[0] ?? ''}`, step] as const))(
    '%s',
    async (_, step) => {
      if (failed !== undefined) throw new Error(`not run, because of ${failed}`)
      failed = step.at
      await runStep(step, place)
      failed = undefined
    },
    600_000,
  )
})
