import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { capture } from './kubectl.ts'

/** Debian packages of the full tier, by a file that each brings: a program, or a path. */
const PACKAGES: Readonly<Record<string, string>> = {
  openssl: 'openssl',
  containerd: 'containerd',
  runc: 'runc',
  nft: 'nftables',
  iptables: 'iptables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  nsenter: 'util-linux',
  '/usr/lib/cni/ptp': 'containernetworking-plugins',
}

const present = (file: string): boolean =>
  file.startsWith('/')
    ? existsSync(file)
    : [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) =>
        existsSync(`${folder}/${file}`),
      )

export const missingPackages = (): readonly string[] =>
  Object.entries(PACKAGES)
    .filter(([file]) => !present(file))
    .map(([, name]) => name)

const POLICY = '/usr/sbin/policy-rc.d'

/** In CI and as root installs what is missing; elsewhere an error that names it. */
export const installPackages = async (say: (line: string) => void): Promise<void> => {
  const packages = missingPackages()
  if (packages.length === 0) return
  const apt = `apt-get install --no-install-recommends ${packages.join(' ')}`
  if (!process.env.CI || process.getuid?.() !== 0)
    throw new Error(`the full tier needs Debian packages: ${apt}`)
  say(`installing ${packages.join(', ')}`)
  // They must not start services of their own on a machine that has an init system.
  const ours = !existsSync(POLICY)
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    await capture(['apt-get', '-qq', 'update'], { env })
    await capture(['apt-get', '-qq', 'install', '-y', '--no-install-recommends', ...packages], { env })
  } finally {
    if (ours) rmSync(POLICY)
  }
}
