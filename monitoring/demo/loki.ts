import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { freePort } from '../../proxy/demo/free-port.ts'
import { startDaemon, type Daemon } from './prometheus.ts'

const MONITORING = join(import.meta.dirname, '..')

/** A real Loki with our configuration and our rules, on loopback, in a folder of its own. */
export const startLoki = async (program: string): Promise<Daemon> => {
  const grpc = await freePort()
  return startDaemon({
    program,
    files: (port) => ({
      'loki.yaml': stringify(onLoopback(readFileSync(join(MONITORING, 'loki.yaml'), 'utf8'), { port, grpc })),
      'rules/fake/postern.yaml': readFileSync(join(MONITORING, 'loki-rules.yaml'), 'utf8'),
    }),
    args: () => ['-config.file=loki.yaml'],
    readyPath: '/ready',
  })
}

interface Ports {
  readonly port: number
  readonly grpc: number
}

/** Our file, with folders below the working folder and addresses of this machine only. */
const onLoopback = (file: string, { port, grpc }: Ports): unknown => {
  const config = parse(
    file.replaceAll(/: \/loki\b/g, ': ./data').replaceAll(/: \/etc\/loki\/rules\b/g, ': ./rules'),
  ) as {
    server: object
    ruler: object
  }
  const address = '127.0.0.1'
  return {
    ...config,
    server: {
      ...config.server,
      http_listen_address: address,
      http_listen_port: port,
      grpc_listen_address: address,
      grpc_listen_port: grpc,
    },
    ruler: { ...config.ruler, evaluation_interval: '2s', poll_interval: '2s' },
  }
}

export interface LokiSample {
  readonly metric: Readonly<Record<string, string>>
  readonly value?: readonly [number, string]
  readonly stream?: Readonly<Record<string, string>>
  readonly values?: readonly (readonly [string, string])[]
}

/** An instant query of numbers, or of the last hour's lines. Throws with what Loki says. */
export const askLoki = async (url: string, query: string): Promise<readonly LokiSample[]> => {
  const isLines = !/\b(?:rate|_over_time)\(/.test(query) && !/count_over_time|sum_over_time/.test(query)
  const at = new URL(isLines ? '/loki/api/v1/query_range' : '/loki/api/v1/query', url)
  at.searchParams.set('query', query)
  at.searchParams.set('limit', '5000')
  if (isLines) at.searchParams.set('start', String((Date.now() - 3_600_000) * 1e6))
  const response = await fetch(at)
  const text = await response.text()
  if (!response.ok) throw new Error(`Loki says ${response.status}: ${text.trim()}`)
  return (JSON.parse(text) as { data: { result: readonly LokiSample[] } }).data.result
}
