#!/usr/bin/env node
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { verifyModel } from './verify.ts'

const USE = 'init-container.ts FOLDER --public-key FILE [--signature FILE] [--digest SHA256]'
const MAX_MESSAGE = 2000 // Bytes. Kubernetes keeps the last 2048, and what is wrong stands first.

/**
 * `postern-sec model verify` alone, for the image of the guard: verifies a model before a model server starts. Exit code 0 only
 * when every file is as signed. The one line it writes otherwise says what is wrong: the termination message of the container,
 * with `terminationMessagePolicy: FallbackToLogsOnError`.
 */
const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    options: { 'public-key': { type: 'string' }, signature: { type: 'string' }, digest: { type: 'string' } },
    allowPositionals: true,
  })
  const [folder, ...more] = positionals
  const key = values['public-key']
  if (folder === undefined || key === undefined || more.length > 0) throw new Error(`use: ${USE}`)
  const { name, files, digest, signer } = await verifyModel({
    folder,
    publicKeyFile: key,
    signatureFile: resolve(folder, values.signature ?? 'model.sig'),
    ...(values.digest !== undefined && { digest: values.digest }),
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
