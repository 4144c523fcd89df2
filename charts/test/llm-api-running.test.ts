import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { freePorts } from '../../proxy/demo/free-port.ts'
import { postern, writeConfig } from './guard-config.ts'
import { helmTest } from './helm.ts'
import { podOf, render, root } from './llm-api-cases.ts'
import { find, pick } from './manifests.ts'

helmTest('what the chart starts, started here, answers its own test', async () => {
  const [modelPort, guardPort, adminPort] = await freePorts(3)
  const manifests = await render({ model: { port: modelPort }, guard: { port: guardPort, adminPort } })
  const folder = mkdtempSync(join(tmpdir(), 'postern-chart-'))
  const started: ReturnType<typeof spawn>[] = []
  const node = (args: readonly string[], env: Readonly<Record<string, string>>): ReturnType<typeof spawn> => {
    const child = spawn(process.execPath, args, { env: { PATH: process.env.PATH, ...env }, stdio: 'ignore' })
    started.push(child)
    return child
  }
  const script = (container: unknown): string =>
    String(pick(container, 'args.0')).replace("'/postern/proxy", `'${join(root, 'proxy')}`)
  try {
    const model = podOf(manifests, 'spec.containers.0')
    node(['--input-type=module', '--eval', script(model)], { PORT: String(modelPort), HOST: '127.0.0.1' })
    const sidecar = podOf(manifests, 'spec.initContainers.0')
    const file = writeConfig(folder, manifests)
    const args = (pick(sidecar, 'args') as readonly string[]).map((arg) =>
      arg === '/etc/postern/postern.yaml' ? file : arg,
    )
    node([postern, ...args], { POSTERN_POD: String(pick(sidecar, 'env.0.value')), POD_IP: '127.0.0.1' })
    await eventuallyReady(`http://127.0.0.1:${adminPort}/readyz`)
    await eventuallyReady(`http://127.0.0.1:${adminPort}/app-health/model/readiness`)
    const test = node(
      [
        '--input-type=module',
        '--eval',
        script(pick(find(manifests, 'Pod', 'chat-llm-api-test'), 'spec.containers.0')),
      ],
      {
        ADDRESS: `http://127.0.0.1:${guardPort}/v1/chat/completions`,
        MODEL: 'demo-small',
        CREDENTIAL: String(pick(find(manifests, 'Secret', 'chat-llm-api-api-key'), 'stringData.key')),
      },
    )
    expect(await ended(test)).toBe(0)
    const [demo] = started
    demo?.kill('SIGTERM')
    expect(await ended(demo!)).toBe(0)
  } finally {
    const all = started.map((child) => ended(child))
    for (const child of started) child.kill('SIGKILL')
    await Promise.all(all)
    rmSync(folder, { recursive: true })
  }
})

const ended = (child: ReturnType<typeof spawn>): Promise<number | null> =>
  child.exitCode !== null || child.signalCode !== null
    ? Promise.resolve(child.exitCode)
    : new Promise((resolve) => child.once('exit', (code) => resolve(code)))

const eventuallyReady = async (url: string): Promise<void> => {
  for (let left = 150; left > 0; left--) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 0,
    )
    if (status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${url} does not answer`)
}
