import { isObject, type JsonObject } from '../../core/json.ts'
import type { Policy } from './bundle.ts'
import type { Sources } from './collect.ts'
import type { DataCheck } from './data-schema.ts'
import { mergeData } from './merge.ts'
import type { Problem } from './problem.ts'
import { buildRego } from './rego.ts'

export interface BuildOptions {
  /** What is compiled into this program. */
  readonly builtIn: Policy
  readonly checkData: DataCheck
  /** Path of the program OPA, needed only for Rego. */
  readonly opa: string
  /** Folder with `postern/`, `schemas/` and `generated/capabilities.json`. */
  readonly sources: string
  readonly signal: AbortSignal
}

export type Built = { readonly policy: Policy } | { readonly problems: readonly Problem[] }

/**
 * The one policy that all sources make together with what is built in, or what is wrong with them. One broken source is enough for
 * there to be none. A failure of a tool is a problem as well, with the code `tool_failed`.
 */
export const buildPolicy = async (sources: Sources, options: BuildOptions): Promise<Built> => {
  const { builtIn, checkData, opa, signal } = options
  const merged = mergeData(builtIn.data, sources.data)
  const problems = [...merged.problems, ...(merged.problems.length > 0 ? [] : checkData(merged))]
  if (problems.length > 0) return { problems }
  const { data } = merged
  if (sources.rego.length === 0) return { policy: { wasm: builtIn.wasm, data } }
  try {
    const built = await buildRego({ opa, sources: options.sources, rego: sources.rego, data, signal })
    return 'wasm' in built ? { policy: { wasm: built.wasm, data } } : built
  } catch (error) {
    signal.throwIfAborted()
    return { problems: sources.rego.map(({ configMap }) => failed(configMap, error)) }
  }
}

const failed = (configMap: string, error: unknown): Problem => ({
  code: 'tool_failed',
  configMap,
  message: error instanceof Error ? error.message : 'OPA cannot be run',
})

/** The data of a policy as it comes from a file. Throws Error for anything but an object. */
export const dataOf = (value: unknown): JsonObject => {
  if (!isObject(value as JsonObject)) throw new Error('the built-in data.json is not an object')
  return value as JsonObject
}
