import { afterEach, expect, test } from '@jest/globals'
import { eventually } from '../cluster/processes.ts'
import { api } from '../support/api.ts'
import { startController, type RunningController } from '../support/controller.ts'

let running: RunningController[] = []
afterEach(async () => {
  await Promise.all(running.map((one) => one.kill()))
  running = []
})

const leads = async ({ adminPort }: RunningController): Promise<boolean> => {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text()
  return /^postern_controller_leader\{[^}]*\} 1$/m.test(text)
}

test('of two replicas one leads with one CA, and the other takes over when it goes or dies', async () => {
  const cluster = await api()
  const home = await cluster.namespace('ctl')
  const start = () => startController(cluster, home)
  running = await Promise.all([start(), start()])
  const leaders = async (): Promise<readonly RunningController[]> => {
    const found = []
    for (const one of running) if (await leads(one)) found.push(one)
    return found
  }
  const one = async (): Promise<RunningController> => {
    const [leader, ...more] = await leaders()
    if (leader === undefined || more.length > 0) throw new Error('not exactly one leader')
    return leader
  }
  await eventually(() => one().then(() => undefined), 20)
  const made = running.flatMap(({ log }) => log.filter(({ event }) => event === 'authority_created'))
  expect(made).toHaveLength(1)

  const first = await one()
  running = running.filter((each) => each !== first)
  expect(await first.stop()).toBe(0)
  await eventually(() => one().then(() => undefined), 20)

  running.push(await start())
  const second = await one()
  running = running.filter((each) => each !== second)
  await second.kill()
  await eventually(() => one().then(() => undefined), 20)
  const holder = await cluster.kubectl([
    '-n',
    home,
    'get',
    'lease',
    'postern-controller',
    '-o',
    'jsonpath={.spec.leaseTransitions}',
  ])
  expect(Number(holder)).toBeGreaterThanOrEqual(2)
})
