/** What callers of a matching name may be. The first grant that matches decides. */
export interface Grant {
  /** The name in segments: `*` stands for any one whole segment, `{tenant}` too and names the tenant, a last `**` for one or more. */
  readonly match: string
  /** Instead of the default tenant. */
  readonly tenant?: string
  readonly roles: readonly string[]
  readonly scopes?: readonly string[]
}

export interface Granted {
  readonly tenant: string | undefined
  readonly roles: readonly string[]
  readonly scopes: readonly string[]
}

const NONE: Granted = { tenant: undefined, roles: [], scopes: [] }

/** What the first matching grant gives; no role at all when none matches. */
export const grantFor = (grants: readonly Grant[], name: string, separator: string): Granted => {
  const segments = name.split(separator)
  for (const { match, tenant, roles, scopes = [] } of grants) {
    const found = matchSegments(match.split(separator), segments)
    if (found !== undefined) return { tenant: found.tenant ?? tenant, roles, scopes }
  }
  return NONE
}

const matchSegments = (
  pattern: readonly string[],
  segments: readonly string[],
): { readonly tenant: string | undefined } | undefined => {
  const open = pattern.at(-1) === '**'
  const fixed = open ? pattern.slice(0, -1) : pattern
  if (open ? segments.length < pattern.length : segments.length !== pattern.length) return undefined
  const fits = fixed.every((part, index) => part === '*' || part === '{tenant}' || part === segments[index])
  return fits ? { tenant: segments[fixed.indexOf('{tenant}')] } : undefined
}
