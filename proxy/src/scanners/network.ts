import { BlockList, isIPv4, isIPv6 } from 'node:net'

// Addresses that say nothing about a person or a site: RFC 6890 special purposes, documentation included.
const specialIpv4 = new BlockList()
const specialIpv6 = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  specialIpv4.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of [
  ['::', 16],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
] as const)
  specialIpv6.addSubnet(network, prefix, 'ipv6')

/** Public, and not a version number: `v1.2.3.4`, `120.0.0.0` and `1.2.3.0` are not addresses of anybody. */
export const isPublicIpv4 = (found: string): boolean =>
  isIPv4(found) && !found.endsWith('.0') && !found.startsWith('1.0.') && !specialIpv4.check(found, 'ipv4')

const GLOBAL_UNICAST = /^[23][0-9a-f]{3}:/i
const ALL_GROUPS = /^(?!f[cdef])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}$/i

/** Global unicast (2000::/3), special purposes apart, or all eight groups written out; `db8::1` and scoped names of C++ are no addresses. */
export const isPublicIpv6 = (found: string): boolean =>
  isIPv6(found) && (GLOBAL_UNICAST.test(found) || ALL_GROUPS.test(found)) && !specialIpv6.check(found, 'ipv6')

/** One kind of separator throughout; neither broadcast nor all zero. */
export const isMacAddress = (found: string): boolean => {
  const hex = found.replace(/[:-]/g, '')
  return hex.length === 12 && !(found.includes(':') && found.includes('-')) && !/^(?:0+|f+)$/i.test(hex)
}
