import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import { freePort } from '../../../proxy/demo/free-port.ts'
import { promote, rollback } from './lifecycle.ts'
import { mlflowRegistry } from './registry-mlflow.ts'
import { pythonProgram, withFolder } from './test/folders.ts'

const program = pythonProgram('mlflow')
const withMlflow = program === undefined ? test.skip : test
const at = new Date(0)

const running = async (
  folder: string,
): Promise<{ readonly url: string; readonly stop: () => Promise<void> }> => {
  const port = await freePort()
  const store = [
    '--backend-store-uri',
    `sqlite:///${folder}/m.db`,
    '--default-artifact-root',
    `${folder}/artifacts`,
  ]
  const child = spawn(
    program ?? '',
    ['server', ...store, '--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
    {
      cwd: folder,
      env: { ...process.env, MLFLOW_DISABLE_TELEMETRY: 'true' },
      stdio: 'ignore',
      detached: true,
    },
  )
  const url = `http://127.0.0.1:${port}`
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null) return
    process.kill(-(child.pid ?? 0), 'SIGKILL')
    await once(child, 'exit')
  }
  for (let i = 0; i < 480; i++) {
    if ((await fetch(`${url}/health`).catch(() => undefined))?.ok) return { url, stop }
    await after(500)
  }
  await stop()
  throw new Error('MLflow did not start')
}

withMlflow(
  'a real MLflow server registers, promotes and rolls back (needs mlflow)',
  () =>
    withFolder(async (folder) => {
      const server = await running(folder)
      try {
        const registry = mlflowRegistry({ url: server.url, token: undefined })
        expect(await registry.model('support')).toBeUndefined()
        const version = {
          source: 's3://models/support',
          servesAs: 'llama',
          digest: 'a'.repeat(64),
          signer: 'key',
        }
        expect(await registry.add('support', { ...version, version: 'any' })).toBe('1')
        expect(await registry.add('support', { ...version, version: 'any' })).toBe('2')
        const step = { name: 'support', alias: 'champion', by: 'me', at, unsigned: false }
        await promote(registry, { ...step, version: '1' })
        await promote(registry, { ...step, version: '2' })
        await rollback(registry, step)
        expect(await registry.models()).toEqual([
          {
            name: 'support',
            versions: [
              { ...version, version: '1' },
              { ...version, version: '2' },
            ],
            aliases: { champion: '1' },
            history: [
              { at: at.toISOString(), alias: 'champion', version: '1', previous: '', by: 'me' },
              { at: at.toISOString(), alias: 'champion', version: '2', previous: '1', by: 'me' },
              { at: at.toISOString(), alias: 'champion', version: '1', previous: '2', by: 'me (rollback)' },
            ],
          },
        ])
        await expect(promote(registry, { ...step, name: 'nothing', version: '1' })).rejects.toThrow(
          'no model nothing',
        )
      } finally {
        await server.stop()
      }
    }),
  300_000,
)

test('a server that does not answer is named in the error', async () => {
  const registry = mlflowRegistry({ url: `http://127.0.0.1:${await freePort()}`, token: undefined })
  await expect(registry.models()).rejects.toThrow('does not answer')
})
