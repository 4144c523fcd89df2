import { BlockList, isIP } from 'node:net'
import { listed, settled } from './read.ts'

/** Ranges that no router of the internet carries (RFC 1918, 6598 and 4193). */
const PRIVATE = (
  [
    ['10.0.0.0', 8, 'ipv4'],
    ['172.16.0.0', 12, 'ipv4'],
    ['192.168.0.0', 16, 'ipv4'],
    ['100.64.0.0', 10, 'ipv4'],
    ['fc00::', 7, 'ipv6'],
  ] as const
).map(([address, prefix, family]) => {
  const range = new BlockList()
  range.addSubnet(address, prefix, family)
  return { range, prefix, family }
})

/** Words of Azure for addresses inside. */
const INSIDE = new Set(['VirtualNetwork', 'AzureLoadBalancer'])

/** Whether all of a range, such as `10.1.0.0/16`, is private. */
export const isPrivate = (cidr: string): boolean => {
  const { address, bits, family } = parsed(cidr)
  return (
    family !== undefined &&
    PRIVATE.some(
      (known) => known.family === family && bits >= known.prefix && known.range.check(address, family),
    )
  )
}

/**
 * Whether addresses let in more than what somebody named: anything but private ranges, public ones of at most 256 IPv4 addresses (a /48 of
 * IPv6), and what another resource of the stack has. What Terraform works out when it is applied counts as everybody.
 */
export const open = (found: unknown): boolean => listed(found).some((address) => !named(address))

const named = (found: unknown): boolean => {
  if (typeof found !== 'string') return false
  if (found.includes('${')) return settled(found)
  if (INSIDE.has(found) || isPrivate(found)) return true
  const { bits, family } = parsed(found)
  return (family === 'ipv4' && bits >= 24) || (family === 'ipv6' && bits >= 48)
}

const parsed = (cidr: string) => {
  const [address = '', prefix, ...rest] = cidr.split('/')
  const version = rest.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) ? 0 : isIP(address)
  return {
    address,
    bits: prefix === undefined ? 128 : Number(prefix),
    family: version === 0 ? undefined : version === 4 ? ('ipv4' as const) : ('ipv6' as const),
  }
}
