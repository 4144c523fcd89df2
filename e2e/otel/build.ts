import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { collectorFolder, collectorProgram } from './folder.ts'

/** `node e2e/otel/build.ts`: an OpenTelemetry collector of OTLP in and files out, from Go modules; nothing when it is there. */
const MODULE = join(import.meta.dirname, 'go')
const MOST_MS = 10 * 60_000 // it takes 2 minutes on two cores with an empty cache

const inputs = createHash('sha256')
for (const file of ['go.mod', 'go.sum', 'main.go']) inputs.update(readFileSync(join(MODULE, file)))
const digest = inputs.digest('hex')
const stamp = join(collectorFolder, 'inputs')

const say = (line: string): void => {
  process.stderr.write(`collector: ${line}\n`)
}

const build = async (): Promise<number> => {
  mkdirSync(collectorFolder, { recursive: true })
  const from = performance.now()
  // Another name until it is whole: a build that is cut off must not look like a collector.
  const half = `${collectorProgram}.${process.pid}`
  const child = spawn(
    'go',
    ['build', '-buildvcs=false', '-trimpath', '-mod=readonly', '-ldflags', '-s -w', '-o', half, '.'],
    {
      cwd: MODULE,
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' },
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: MOST_MS,
    },
  )
  const code = await new Promise<number | null>((done) => {
    child.once('error', () => done(null))
    child.once('exit', (status) => done(status))
  })
  if (code !== 0) {
    say(
      code === null
        ? 'needs Go, and ten minutes at most; the version stands in e2e/otel/go/go.mod'
        : 'failed',
    )
    return 1
  }
  renameSync(half, collectorProgram)
  writeFileSync(stamp, digest)
  say(`built in ${Math.round((performance.now() - from) / 1000)} s`)
  return 0
}

if (existsSync(collectorProgram) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest)
  say('is built already')
else process.exitCode = await build()
