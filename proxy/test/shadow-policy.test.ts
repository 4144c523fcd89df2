import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { startTestGuard, type TestGuard } from './start.ts'

const ask = async ({ url, keys }: TestGuard): Promise<number> => {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${keys.user}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'demo-small', messages: [{ role: 'user', content: 'Hello' }] }),
  })
  await response.arrayBuffer()
  return response.status
}

test('a stricter shadow policy lets everything through, and says what it would have denied', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-shadow-'))
  const dataFile = join(folder, 'stricter.json')
  const data = JSON.parse(readFileSync(join(import.meta.dirname, '../../policies/data.json'), 'utf8')) as {
    roles: { user: { models: string[] } }
  }
  data.roles.user.models = ['another']
  writeFileSync(dataFile, JSON.stringify(data))
  const guard = await startTestGuard({ config: { policy: { shadow: { dataFile } } } })
  try {
    expect(await ask(guard)).toBe(200)
    const metrics = await (await fetch(`${guard.adminUrl}/metrics`)).text()
    expect(metrics).toMatch(/postern_policy_shadow_total\{stage="request",difference="would_deny"\} 1/)
    expect(guard.logged()).toContain('policy_shadow_differs')
  } finally {
    await guard.close()
    rmSync(folder, { recursive: true, force: true })
  }
  writeFileSync(join(tmpdir(), 'postern-no-bundle.tar.gz'), 'no bundle')
  const broken = { policy: { shadow: { bundle: join(tmpdir(), 'postern-no-bundle.tar.gz') } } }
  await expect(startTestGuard({ config: broken })).rejects.toThrow('postern-no-bundle.tar.gz')
  rmSync(join(tmpdir(), 'postern-no-bundle.tar.gz'))
})
