import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** Where clouds hand credentials to whoever asks from inside. */
const METADATA: ReadonlySet<string> = new Set([
  '169.254.169.254',
  '169.254.170.2',
  '169.254.170.23',
  '168.63.129.16',
  '100.100.100.200',
  '[fd00:ec2::254]',
  '[fd20:ce::254]',
  'metadata.google.internal',
  'metadata.goog',
  'metadata',
  'instance-data',
])

/** IANA special-purpose address registries. */
const RANGES: readonly (readonly [string, number, 'ipv4' | 'ipv6'])[] = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 127, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['64:ff9b:1::', 48, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
]

const SUFFIXES = [
  '.localhost',
  '.local',
  '.internal',
  '.intranet',
  '.lan',
  '.home.arpa',
  '.svc',
  '.localdomain',
  // Names that anybody may point at any address, which is in the name.
  '.nip.io',
  '.sslip.io',
  '.xip.io',
  '.localtest.me',
  '.lvh.me',
  '.vcap.me',
  '.localho.st',
  '.traefik.me',
  '.rbndr.us',
  '.1u.ms',
]

const inside = new BlockList()
for (const [network, prefix, family] of RANGES) inside.addSubnet(network, prefix, family)

export type Inside = 'metadata' | 'internal' | 'loopback' | undefined

/** The machine itself, as those who develop on it call it. */
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|(?:.+\.)?localhost)$/

/** What a host name or address, as WHATWG URL writes it, is to a machine inside. A single label is a name of the local network. */
export const insideOf = (host: string): Inside => {
  if (METADATA.has(host)) return 'metadata'
  if (LOOPBACK.test(host)) return 'loopback'
  const address = host.startsWith('[') ? host.slice(1, -1) : host
  if (isIPv4(address)) return inside.check(address, 'ipv4') ? 'internal' : undefined
  if (isIPv6(address)) return ofIPv6(address)
  if (
    /^[a-z0-9_-]+$/.test(host) ||
    SUFFIXES.some((suffix) => host.endsWith(suffix) || host === suffix.slice(1))
  ) {
    return 'internal'
  }
  return undefined
}

const ofIPv6 = (address: string): Inside => {
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(address)
  if (mapped === null) return inside.check(address, 'ipv6') ? 'internal' : undefined
  const [high, low] = [mapped[1] ?? '0', mapped[2] ?? '0'].map((part) => Number.parseInt(part, 16))
  return insideOf([(high ?? 0) >> 8, (high ?? 0) & 255, (low ?? 0) >> 8, (low ?? 0) & 255].join('.'))
}
