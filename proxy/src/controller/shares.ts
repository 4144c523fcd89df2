/** What each client address holds of something that all share. */
export interface Shares {
  /** False, and nothing is taken, when the address or all together would hold too much. */
  take(address: string, amount: number): boolean
  give(address: string, amount: number): void
}

/** Remembers only addresses that hold something. */
export const shares = ({ all, each }: { readonly all: number; readonly each: number }): Shares => {
  const held = new Map<string, number>()
  let total = 0
  return {
    take: (address, amount) => {
      const own = (held.get(address) ?? 0) + amount
      if (own > each || total + amount > all) return false
      held.set(address, own)
      total += amount
      return true
    },
    give: (address, amount) => {
      const own = (held.get(address) ?? 0) - amount
      total -= amount
      if (own > 0) held.set(address, own)
      else held.delete(address)
    },
  }
}
