import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { bin } from '../cluster/folders.ts'
import { eventually } from '../cluster/processes.ts'
import { api } from './api.ts'
import type { Client } from './full.ts'
import { RELEASE, SECRETS } from './installation.ts'

export interface PodAt {
  readonly namespace: string
  readonly pod: string
}

/** What the controller says to falcosidekick and to operators, asked from inside the cluster. */
export interface Desk {
  /** An event as falcosidekick 2 posts it, about a shell in a container of that pod. The order's id and what became of it. */
  readonly falco: (about: PodAt, uuid?: string) => Promise<{ readonly id: string; readonly result: string }>
  /** By an operator, for so many seconds. The order's id. */
  readonly quarantine: (pod: PodAt, seconds: number) => Promise<string>
  readonly undo: (id: string) => Promise<void>
}

export const desk = (client: Client): Desk => {
  const post = async (path: string, secret: string, body: object): Promise<Record<string, unknown>> => {
    const asked = {
      url: `https://${RELEASE}-controller.${RELEASE}.svc/v1/respond/${path}`,
      headers: {
        authorization: `Bearer ${secret}`,
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Falcosidekick/2.31.1',
      },
      body: JSON.stringify(body),
    }
    const { status, text } = JSON.parse(await client.run('post.ts', [], JSON.stringify(asked))) as {
      status: number
      text: string
    }
    if (status !== 200) throw new Error(`the controller answers ${status}: ${text}`)
    return JSON.parse(text) as Record<string, unknown>
  }
  const operator = (path: string, body: object) => post(path, SECRETS.operator, { by: 'alice', ...body })
  return {
    falco: async (about, uuid = randomUUID()) => {
      const { orders } = (await post('falco', SECRETS.falcosidekick, shellIn(about, uuid))) as {
        orders: readonly { readonly id: string; readonly result: string }[]
      }
      const [{ id, result } = { id: '', result: 'unmatched' }] = orders
      return { id, result }
    },
    quarantine: async ({ namespace, pod }, seconds) =>
      String((await operator('orders', { kind: 'quarantine', namespace, pod, seconds })).id),
    undo: async (id) => {
      await operator('undo', { id })
    },
  }
}

/** Falco's rule of that name, in the JSON of falcosidekick's types.FalcoPayload. */
const shellIn = ({ namespace, pod }: PodAt, uuid: string): object => ({
  uuid,
  output: `Notice A shell was spawned in a container with an attached terminal (k8s_pod_name=${pod} k8s_ns_name=${namespace})`,
  priority: 'Notice',
  rule: 'Terminal shell in container',
  time: new Date().toISOString().replace('Z', '123456Z'),
  output_fields: {
    'container.id': '4b1c0e5d7a92',
    'container.image.repository': 'postern.local/tools',
    'evt.time': Date.now(),
    'evt.type': 'execve',
    'k8s.ns.name': namespace,
    'k8s.pod.name': pod,
    'proc.cmdline': 'sh',
    'proc.tty': 34816,
    'user.uid': 0,
  },
  source: 'syscall',
  tags: ['T1059', 'container', 'maturity_stable', 'mitre_execution', 'shell'],
  hostname: 'falco-x7k2p',
})

/** One open connection to a guard, and what came back on it, in order. */
export interface Held {
  readonly words: readonly string[]
  readonly end: () => void
}

/** Opened from a container of a pod. Resolves when something came back. */
export const hold = async (
  from: PodAt & { readonly container: string },
  to: { readonly host: string; readonly port: number },
): Promise<Held> => {
  const { kubeconfig } = await api()
  const command = ['node', 'hold.ts', to.host, String(to.port)]
  const exec = ['-n', from.namespace, 'exec', '-i', from.pod, '-c', from.container, '--', ...command]
  const child = spawn(join(bin, 'kubectl'), ['--kubeconfig', kubeconfig, ...exec], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const words: string[] = []
  createInterface({ input: child.stdout }).on('line', (word) => words.push(word))
  const end = (): void => void child.stdin.end()
  try {
    await eventually(async () => {
      if (words.length === 0) throw new Error('nothing comes back on the connection')
      return Promise.resolve()
    }, 30)
  } catch (cause) {
    child.kill()
    throw cause
  }
  return { words, end }
}
