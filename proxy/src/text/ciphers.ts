import type { Finding } from '../core/finding.ts'
import { type CipherReader, cipherReader } from './cipher.ts'
import { type Cipher, cipherOf } from './gates.ts'
import type { Reader } from './reader.ts'
import type { Run } from './run.ts'
import { UNDOING } from './undo.ts'

/** What reads the ciphers of one text. There are none until a word of one has been seen. */
export type Ciphers = Map<Cipher, readonly CipherReader[]>

/** Lets the words that tell of ciphers open readings, takes them out of what was found, and reads on. */
export const readCiphers = (ciphers: Ciphers, runs: readonly Run[], openDecoded: () => Reader): void => {
  for (const run of runs) if (run.found.length > 0) run.found = withoutWords(ciphers, run.found, openDecoded)
  const [first] = runs
  if (first === undefined || ciphers.size === 0) return
  for (const readers of ciphers.values()) for (const reader of readers) reader.push(first.text, first.base)
}

const withoutWords = (ciphers: Ciphers, found: Finding[], openDecoded: () => Reader): Finding[] => {
  const rest: Finding[] = []
  for (const finding of found) {
    const cipher = cipherOf(finding.rule)
    if (cipher === undefined) rest.push(finding)
    else {
      let readers = ciphers.get(cipher)
      if (readers === undefined) {
        readers = UNDOING[cipher].map((undo) => cipherReader({ undo, openDecoded }))
        ciphers.set(cipher, readers)
      }
      for (const reader of readers) reader.open(finding)
    }
  }
  return rest
}
