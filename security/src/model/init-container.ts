#!/usr/bin/env node
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { trustFileIn, TRUST_OPTIONS } from './trust.ts'
import { verifyModel } from './verify.ts'

const USE =
  'init-container.ts FOLDER (--public-key FILE | --certificate-chain FILE | --trusted-root FILE --identity NAME --identity-provider URL) [--signature FILE] [--digest SHA256]'
const MAX_MESSAGE = 2000 // Bytes. Kubernetes keeps the last 2048, and what is wrong stands first.

/**
 * `postern-sec model verify` alone, for the image of the guard: verifies a model before a model server starts. Exit code 0 only
 * when every file is as signed. The one line it writes otherwise says what is wrong: the termination message of the container,
 * with `terminationMessagePolicy: FallbackToLogsOnError`.
 */
const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    options: { ...TRUST_OPTIONS, signature: { type: 'string' }, digest: { type: 'string' } },
    allowPositionals: true,
  })
  const [folder, ...more] = positionals
  if (folder === undefined || more.length > 0) throw new Error(`use: ${USE}`)
  const { signature = 'model.sig', digest: asked, ...trust } = values
  const { name, files, digest, signer } = await verifyModel({
    folder,
    trust: trustFileIn(trust),
    signatureFile: resolve(folder, signature),
    ...(asked !== undefined && { digest: asked }),
  })
  process.stdout.write(`${JSON.stringify({ verified: folder, name, files, digest, signer })}\n`)
}

try {
  await main()
} catch (error) {
  const line = `the model is not served: ${(error as Error).message}`.replace(/\p{C}/gu, '?')
  process.stderr.write(`${Buffer.from(line).subarray(0, MAX_MESSAGE).toString()}\n`)
  process.exitCode = 1
}
