import { expect, test } from '@jest/globals'
import { injectService, type Service } from './inject-service.ts'
import { settings } from './test/settings.ts'

const service = (labels: Record<string, string>, annotations?: Record<string, string>): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'llama', labels, ...(annotations && { annotations }) },
  spec: {
    selector: { app: 'llama' },
    ports: [
      { name: 'api', port: 80, targetPort: 9000 },
      { name: 'same', port: 8000 },
      { name: 'named', port: 81, targetPort: 'http' },
      { name: 'dns', port: 53, targetPort: 53, protocol: 'UDP' },
    ],
  },
})

const LABEL = { 'postern.dev/inject': 'true' }

const changed = (given: Service): Service => {
  const result = injectService(given, settings)
  if (result.kind === 'refused') throw new Error(result.message)
  return result.service
}

test('numeric TCP targets lead to the guard while the label is there, and back when it is gone', () => {
  const guarded = changed(service(LABEL))
  expect(guarded.spec!.ports!.map(({ targetPort }) => targetPort)).toEqual([8080, 8080, 'http', 53])
  expect(guarded.metadata!.annotations).toEqual({
    'postern.dev/original-target-ports': '{"80":9000,"8000":8000}',
  })
  expect(injectService(guarded, settings).kind).toBe('unchanged')
  const back = changed({ ...guarded, metadata: { ...guarded.metadata!, labels: {} } })
  expect(back).toEqual({
    ...service({}),
    spec: { ...service({}).spec, ports: service({}).spec!.ports!.map((p) => ({ targetPort: p.port, ...p })) },
  })
})

test('a guard at another port is found by the annotation', () => {
  expect(changed(service(LABEL, { 'postern.dev/port': '8090' })).spec!.ports![0]!.targetPort).toBe(8090)
})

test('a Service without the label stays as it is', () => {
  expect(injectService(service({}), settings).kind).toBe('unchanged')
})

test.each([
  ['postern.dev/port', 'http', /is no port/],
  ['postern.dev/mode', 'service', /no annotation postern.dev\/mode/],
])('annotation %s: %s is refused with what to write', (key, value, why) => {
  expect(injectService(service(LABEL, { [key]: value }), settings)).toMatchObject({
    kind: 'refused',
    message: expect.stringMatching(why),
  })
})

test('what somebody wrote into the annotation of original ports is not believed blindly', () => {
  const given = service({}, { 'postern.dev/original-target-ports': '{"80":"x","8000":70000,"81":1}' })
  expect(changed(given).spec!.ports).toEqual(given.spec!.ports)
})
