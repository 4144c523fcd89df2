import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'node:tls'
import { stringify } from 'yaml'
import { freePort } from '../../proxy/demo/free-port.ts'
import { collectorProgram } from './folder.ts'

export interface Attribute {
  readonly key: string
  readonly value: {
    readonly stringValue?: string
    readonly intValue?: string
    readonly doubleValue?: number
    readonly arrayValue?: { readonly values?: readonly { readonly stringValue?: string }[] }
  }
}

export interface Span {
  readonly name: string
  readonly kind: number
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly traceState?: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes?: readonly Attribute[]
  readonly events?: readonly { readonly name: string; readonly timeUnixNano: string }[]
}

interface Point {
  readonly attributes?: readonly Attribute[]
  readonly asDouble?: number
  readonly count?: string
  readonly sum?: number
  readonly bucketCounts?: readonly string[]
  readonly explicitBounds?: readonly number[]
}

export interface Metric {
  readonly name: string
  readonly unit?: string
  readonly sum?: { readonly dataPoints: readonly Point[]; readonly isMonotonic?: boolean }
  readonly gauge?: { readonly dataPoints: readonly Point[] }
  readonly histogram?: { readonly dataPoints: readonly Point[] }
}

export interface Collector {
  /** Base URL of its OTLP receiver, over TLS with client certificates. */
  readonly url: string
  /** PEM files for its clients. */
  readonly tls: { readonly caFile: string; readonly certFile: string; readonly keyFile: string }
  spans(): readonly Span[]
  /** As last sent. */
  metrics(): ReadonlyMap<string, Metric>
  /** Everything it received, as text. */
  written(): string
  stop(): Promise<void>
  close(): Promise<void>
}

export const isBuilt = existsSync(collectorProgram)

/** A real collector that takes OTLP over mutual TLS and writes what it gets to files. Throws when it is not up in time. */
export const startCollector = async (): Promise<Collector> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-otelcol-'))
  const tls = certificates(folder)
  const port = await freePort()
  const file = (name: string): string => join(folder, `${name}.jsonl`)
  writeFileSync(join(folder, 'config.yaml'), stringify(configuration(folder, port)))
  const child = spawn(collectorProgram, ['--config', `file:${join(folder, 'config.yaml')}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)))
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM')
    await ended
  }
  const close = async (): Promise<void> => {
    await stop()
    rmSync(folder, { recursive: true, force: true })
  }
  for (let tries = 0; child.exitCode === null; tries++) {
    if (await accepts(port)) break
    if (tries > 200) {
      await close()
      throw new Error(`the collector did not get ready: ${said}`)
    }
    await sleep(100)
  }
  if (child.exitCode !== null) throw new Error(`the collector ended: ${said}`)
  const text = (name: string): string => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '')
  return {
    url: `https://127.0.0.1:${port}`,
    tls,
    spans: () =>
      (linesOf(text('traces')) as readonly Traces[]).flatMap((line) => line.resourceSpans.flatMap(spansOf)),
    metrics: () =>
      new Map(
        (linesOf(text('metrics')) as readonly Metrics[])
          .flatMap((line) => line.resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics))
          .flatMap(({ metrics = [] }) => metrics.map((metric) => [metric.name, metric] as const)),
      ),
    written: () => text('traces') + text('metrics'),
    stop,
    close,
  }
}

interface Traces {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[]
}

interface Metrics {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly { readonly metrics?: readonly Metric[] }[]
  }[]
}

const spansOf = ({ scopeSpans }: Traces['resourceSpans'][number]): readonly Span[] =>
  scopeSpans.flatMap(({ spans }) => spans)

/** Whole lines only: the last may still be on its way. */
const linesOf = (text: string): readonly unknown[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line))

const configuration = (folder: string, port: number) => {
  const to = (name: string) => ({ path: join(folder, `${name}.jsonl`), flush_interval: '100ms' })
  const pem = (name: string) => join(folder, name)
  return {
    receivers: {
      otlp: {
        protocols: {
          http: {
            endpoint: `127.0.0.1:${port}`,
            tls: { cert_file: pem('server.pem'), key_file: pem('server.key'), client_ca_file: pem('ca.pem') },
          },
        },
      },
    },
    exporters: { 'file/traces': to('traces'), 'file/metrics': to('metrics') },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: {
        traces: { receivers: ['otlp'], exporters: ['file/traces'] },
        metrics: { receivers: ['otlp'], exporters: ['file/metrics'] },
      },
    },
  }
}

/** One CA, a certificate of the collector and one of its clients. */
const certificates = (folder: string): Collector['tls'] => {
  const openssl = (...args: readonly string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'ignore' })
  }
  const key = ['-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-days', '2']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=ca')
  for (const name of ['server', 'client']) {
    const files = ['-keyout', `${name}.key`, '-out', `${name}.pem`, '-subj', `/CN=${name}`]
    const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1']
    openssl('req', '-x509', ...key, ...files, ...signed, '-addext', 'basicConstraints=CA:FALSE')
  }
  const at = (name: string): string => join(folder, name)
  return { caFile: at('ca.pem'), certFile: at('client.pem'), keyFile: at('client.key') }
}

/** Is anything there that speaks TLS? Without a certificate it need not let us in. */
const accepts = (port: number): Promise<boolean> =>
  new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false })
    socket.once('secureConnect', () => {
      socket.destroy()
      done(true)
    })
    socket.once('error', () => done(false))
  })
