import type { Caller, Presented } from '../core/caller.ts'
import type { Received } from '../core/exchange.ts'
import type { Notes } from '../core/notes.ts'

/** Nothing else happens before the caller is known. */
export const identifyStep =
  (identify: (presented: Presented) => Promise<Caller>) =>
  async (received: Received, notes: Notes): Promise<Caller> => {
    const caller = await identify(received.presented)
    notes.caller = caller
    return caller
  }
