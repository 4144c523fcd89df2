import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { bin, KUBERNETES } from './folders.ts'
import { capture } from './kubectl.ts'
import { installPackages } from './packages.ts'
import { PROGRAMS, type Tier } from './tiers.ts'

const MODULE = join(import.meta.dirname, 'go')

/** Where each program's main package is, when it is not one of Kubernetes' own commands. */
const PACKAGES: Readonly<Record<string, string>> = {
  etcd: 'go.etcd.io/etcd/server/v3',
  helm: 'helm.sh/helm/v4/cmd/helm',
  coredns: './coredns',
  pause: './pause',
}

/** Builds what is missing or was built from something else, all out of one Go module. A first build takes minutes. */
export const build = async (tier: Tier, say: (line: string) => void): Promise<void> => {
  if (tier === 'full') await installPackages(say)
  mkdirSync(bin, { recursive: true })
  const inputs = await inputsOf()
  const stamp = (name: string): string => join(bin, `.${name}.inputs`)
  const stale = PROGRAMS[tier].filter(
    (name) =>
      !existsSync(join(bin, name)) ||
      !existsSync(stamp(name)) ||
      readFileSync(stamp(name), 'utf8') !== inputs,
  )
  for (const [index, name] of stale.entries()) {
    // One after the other: each uses every core by itself, and the libraries of the first serve the next.
    const from = performance.now()
    say(`building ${name} (${index + 1} of ${stale.length}, ${cpus().length} cores)`)
    await compile(name)
    writeFileSync(stamp(name), inputs)
    say(`built ${name} in ${Math.round((performance.now() - from) / 1000)} s`)
  }
  if (stale.length === 0) say('everything is built already')
}

const compile = (name: string): Promise<string> => {
  const [, minor = ''] = KUBERNETES.split('.')
  const version = Object.entries({
    gitVersion: `v${KUBERNETES}`,
    gitMajor: '1',
    gitMinor: minor,
    gitTreeState: 'clean',
  })
  // Without a version the servers call themselves v0.0.0, which Helm and kubectl take at its word.
  const stamps = ['k8s.io/component-base/version', 'k8s.io/client-go/pkg/version'].flatMap((target) =>
    version.map(([key, value]) => `-X ${target}.${key}=${value}`),
  )
  return capture(
    [
      ...['nice', '-n', '10', 'go', 'build', '-buildvcs=false', '-trimpath', '-mod=readonly'],
      ...['-ldflags', `-s -w ${stamps.join(' ')}`, '-o', join(bin, name)],
      PACKAGES[name] ?? `k8s.io/kubernetes/cmd/${name}`,
    ],
    { cwd: MODULE, env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '' } },
  )
}

const inputsOf = async (): Promise<string> => {
  const hash = createHash('sha256').update(KUBERNETES)
  hash.update(
    await capture(['go', 'version']).catch((cause: unknown) => {
      throw new Error('building the cluster needs Go; the version stands in e2e/cluster/go/go.mod', { cause })
    }),
  )
  for (const file of ['go.mod', 'go.sum', 'coredns/main.go', 'pause/main.go'])
    hash.update(readFileSync(join(MODULE, file)))
  return hash.digest('hex')
}
