import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { eventually } from '../cluster/processes.ts'
import { type Api, type Client, model, rolledOut, serving, startClient } from '../support/full.ts'
import { guardedNamespace, installed, RELEASE } from '../support/installation.ts'
import { desk, hold, type Desk, type Held } from '../support/respond.ts'
import { whileStreaming, type Streams, type Tally } from '../support/streams.ts'

interface Pod {
  readonly name: string
  readonly ip: string
}

let cluster: Api
let namespace: string
let client: Client
let controller: Desk
let suspect: Pod
let other: Pod
/** Where the suspect gets to before: the other guard, the API server, the controller, DNS. */
let places: readonly string[]
/** Of the first test; in force until it is undone. */
let order: string
const event = randomUUID()
const held: Held[] = []

const GUARD = 8080

beforeAll(async () => {
  cluster = await installed()
  namespace = await guardedNamespace(cluster, 'quarantine')
  const labels = { 'postern.dev/inject': 'true' }
  await cluster.apply(model({ name: 'model', namespace, labels, replicas: 2, paceMs: 100 }))
  client = await startClient(namespace, { 'postern.dev/exempt': 'true' })
  controller = desk(client)
  await serving(cluster, client, { namespace, name: 'model' })
  ;[suspect, other] = await replicas()
  places = [
    ...[other.ip, String(GUARD)],
    ...[await addressOf('default', 'kubernetes'), '443'],
    ...[await addressOf(RELEASE, `${RELEASE}-controller`), '443'],
    ...[await addressOf('kube-system', 'kube-dns'), '53'],
  ]
}, 300_000)

afterAll(() => {
  for (const { end } of held) end()
})

const replicas = async (): Promise<readonly [Pod, Pod]> => {
  const path = 'jsonpath={range .items[*]}{.metadata.name} {.status.podIP}{"\\n"}{end}'
  const listed = await cluster.kubectl(['-n', namespace, 'get', 'pods', '-l', 'app=model', '-o', path])
  const pods = listed
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
  const [one, two] = pods.map(([name = '', ip = '']) => ({ name, ip }))
  if (!one || !two) throw new Error(`there should be two replicas: ${listed}`)
  return [one, two]
}

const addressOf = (home: string, service: string): Promise<string> =>
  cluster.kubectl(['-n', home, 'get', 'service', service, '-o', 'jsonpath={.spec.clusterIP}'])

/** From the model's container of a pod, where no guard is in between. */
const reachFrom = async ({ name }: Pod, to: readonly string[]): Promise<readonly string[]> => {
  const command = ['node', 'reach.ts', ...to]
  const words = await cluster.kubectl(['-n', namespace, 'exec', name, '-c', 'model', '--', ...command])
  return words.trim().split('\n')
}

/** How many of two new connections to the suspect, and of four from it, can be made. */
const open = async (): Promise<{ readonly into: number; readonly out: number }> => {
  const [mine, neighbours, out] = await Promise.all([
    client.reach(suspect.ip, GUARD),
    reachFrom(other, [suspect.ip, String(GUARD)]),
    reachFrom(suspect, places),
  ])
  const count = (words: readonly string[]): number => words.filter((word) => word === 'open').length
  return { into: count([mine, ...neighbours]), out: count(out) }
}

const closes = () => eventually(async () => expect(await open()).toEqual({ into: 0, out: 0 }), 30)
const opens = () => eventually(async () => expect(await open()).toEqual({ into: 2, out: 4 }), 30)

/** Addresses to which the Service sends become these. */
const sendsTo = (...pods: readonly Pod[]): Promise<void> =>
  eventually(async () => {
    const path = 'jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}'
    const selector = ['-l', 'kubernetes.io/service-name=model']
    const ready = await cluster.kubectl(['-n', namespace, 'get', 'endpointslices', ...selector, '-o', path])
    expect(ready.split(' ').toSorted()).toEqual(pods.map(({ ip }) => ip).toSorted())
  }, 60)

const label = (): Promise<string> => {
  const path = String.raw`jsonpath={.metadata.labels.postern\.dev/quarantine}`
  return cluster.kubectl(['-n', namespace, 'get', 'pod', suspect.name, '-o', path])
}

/** Lines of the audit log, of the controllers or of a guard. */
const records = async (args: readonly string[]): Promise<readonly Record<string, unknown>[]> => {
  const text = await cluster.kubectl(['logs', ...args, '--tail=-1'])
  return text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.includes('"type":'))
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

const ofControllers = () => records(['-n', RELEASE, '-l', 'app.kubernetes.io/component=controller'])

test('an event of Falco closes the pod that it names, and the other replica loses nothing', async () => {
  expect(await open()).toEqual({ into: 2, out: 4 })
  const [coming, going] = await Promise.all([
    hold({ namespace, pod: 'client', container: 'client' }, { host: suspect.ip, port: GUARD }),
    hold({ namespace, pod: suspect.name, container: 'model' }, { host: other.ip, port: GUARD }),
  ])
  held.push(coming, going)
  const token = await client.token()
  const at = (host: string): Streams => ({ url: `http://${host}`, token, streams: 5, pieces: 20 })
  const tallies: Tally[] = []
  const also = (what: Streams, change: () => Promise<void>) => async () => {
    tallies.push(await whileStreaming(client, what, change))
  }
  const change = async (): Promise<void> => {
    const { id, result } = await controller.falco({ namespace, pod: suspect.name }, event)
    expect(result).toBe('began')
    order = id
    await closes()
    await sendsTo(other)
  }
  const service = { ...at(`model.${namespace}`), pieces: 2, retries: 5 }
  await also(
    service,
    also(at(`${other.ip}:${GUARD}`), also({ ...at(`${suspect.ip}:${GUARD}`), pieces: 600 }, change)),
  )()
  const [atSuspect, atOther, atService] = tallies

  expect(atOther).toEqual({ whole: expect.any(Number), cut: 0, refused: 0, problems: {} })
  // What ran on the suspect is cut by its guard, in the way of the API. Whoever tries again gets to the other replica.
  expect(atSuspect?.cut).toBe(5)
  expect(Object.keys(atSuspect?.problems ?? {})).toContain(
    'cut: The guard cannot check requests at the moment. (quarantined)',
  )
  expect(atService).toMatchObject({ refused: 0 })
  expect(atService?.cut).toBeLessThanOrEqual(5)
  // The guard ends what its clients keep open. What the pod opened itself before stays: NetworkPolicy is about new connections here.
  expect([coming.words[0], coming.words.at(-1)]).toEqual(['401', 'ended'])
  expect(going.words.at(-1)).toBe('401')
}, 180_000)

test('the record of the controller and of the guard says which event did it, to whom and until when', async () => {
  const response = {
    ...{ type: 'response', kind: 'quarantine', step: 'began', order, event },
    ...{ by: 'falco:Terminal shell in container', until: expect.stringMatching(/^\d{4}-.*Z$/) },
    target: { namespace, name: suspect.name, uid: expect.any(String) },
  }
  expect(await ofControllers()).toContainEqual(expect.objectContaining(response))
  const guard = await records(['-n', namespace, suspect.name, '-c', 'postern'])
  expect(guard).toContainEqual(expect.objectContaining(response))
  expect(JSON.stringify(guard)).toContain('"quarantined"')
  const events = await cluster.kubectl([
    '-n',
    namespace,
    'get',
    'events',
    '--field-selector',
    `involvedObject.name=${suspect.name},reason=Quarantined`,
    '-o',
    'jsonpath={.items[*].message}',
  ])
  expect(events).toContain(`order ${order} (falco:Terminal shell in container) until `)
})

test('new controllers go on with the orders of killed ones; undone, the order gives the packets back', async () => {
  const killed = ['-n', RELEASE, 'delete', 'pods', '-l', 'app.kubernetes.io/component=controller']
  await cluster.kubectl([...killed, '--force', '--grace-period=0'])
  await rolledOut(cluster, RELEASE, `${RELEASE}-controller`)
  expect(await open()).toEqual({ into: 0, out: 0 })
  expect(await controller.falco({ namespace, pod: suspect.name }, event)).toEqual({
    id: order,
    result: 'repeated',
  })
  await controller.undo(order)
  await opens()
  await sendsTo(suspect, other)
  expect(await label()).toBe('')
  const policies = await cluster.kubectl(['-n', namespace, 'get', 'networkpolicies', '-o', 'name'])
  expect(policies).not.toContain('postern-guard-quarantine')
  const undone = { step: 'undone', order, by: 'operator:alice' }
  expect(await ofControllers()).toContainEqual(expect.objectContaining(undone))
}, 120_000)

test('an order lapses by itself', async () => {
  order = await controller.quarantine({ namespace, pod: suspect.name }, 12)
  await closes()
  await opens()
  await sendsTo(suspect, other)
  const lapsed = { step: 'lapsed', order, by: 'expiry' }
  expect(await ofControllers()).toContainEqual(expect.objectContaining(lapsed))
}, 120_000)
