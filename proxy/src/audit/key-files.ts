import { open, readFile, rename } from 'node:fs/promises'
import { asError, AuditFault, codeOf } from './fault.ts'
import { newPrivateKey, signerFrom, verifierFrom, type Signer, type Verifier } from './keys.ts'

/** The key to sign with, and all public keys that signed this log before. Throws AuditFault for a key that is not one. */
export const loadKeys = async (
  path: string,
  given: string | undefined,
): Promise<{ signer: Signer; verifier: Verifier }> => {
  const pem = given ?? (await readIfThere(`${path}.key`)) ?? (await makeKey(`${path}.key`))
  const known = (await readIfThere(`${path}.pub`)) ?? ''
  try {
    const signer = signerFrom(pem)
    const all = known.includes(signer.publicPem) ? known : known + signer.publicPem
    const verifier = verifierFrom(all)
    if (all !== known) await replace(`${path}.pub`, all, 0o644)
    return { signer, verifier }
  } catch (error) {
    const reason = asError(error)
    throw 'syscall' in reason ? reason : new AuditFault(reason.message)
  }
}

const makeKey = async (path: string): Promise<string> => {
  const pem = newPrivateKey()
  await replace(path, pem, 0o600)
  return pem
}

/** Whole or not at all, whenever the power fails. */
const replace = async (path: string, text: string, mode: number): Promise<void> => {
  const file = await open(`${path}.new`, 'w', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}

const readIfThere = (path: string): Promise<string | undefined> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
