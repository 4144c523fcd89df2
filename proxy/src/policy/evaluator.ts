import * as opaWasm from '@open-policy-agent/opa-wasm'
import type { Bundle } from './bundle.ts'

export const DECISION = 'postern/decision'
export const LIMITS = 'postern/limits'

export interface Evaluator {
  readonly revision: string
  /** The document of the entry point for this input; undefined when the policy has none. Throws whatever the policy or the SDK throws. */
  evaluate(entrypoint: string, input: object): unknown
}

/** What of the SDK is used; its own types do not reach the module build that it exports. */
interface LoadedPolicy {
  readonly mem: WebAssembly.Memory
  readonly wasmInstance: WebAssembly.Instance
  readonly entrypoints: Readonly<Record<string, number>>
  evaluate(input: object, entrypoint: string): unknown
  setData(data: object): void
}

interface Sdk {
  loadPolicySync(module: WebAssembly.Module, memory: WebAssembly.MemoryDescriptor): LoadedPolicy
}

const sdk = (opaWasm as unknown as { readonly default: Sdk }).default

const INITIAL_PAGES = 32 // 2 MiB, of which the built-in policies touch 300 KB
const MAX_PAGES = 1024 // 64 MiB; an evaluation that needs more fails
const GROWTH_BYTES = 8 * 1024 * 1024 // memory never shrinks, so an instance that grew by this is replaced

/** Builtins that the SDK itself has; every other one is inside the module or missing. */
const SDK_BUILTINS = new Set([
  'json.is_valid',
  'regex.split',
  'sprintf',
  'yaml.is_valid',
  'yaml.marshal',
  'yaml.unmarshal',
])

/** Throws Error for a bundle that cannot be run: no entry points, or builtins that nobody here has. */
export const evaluator = ({ module, data, revision }: Bundle): Evaluator => {
  const load = (): Instance => {
    const policy = sdk.loadPolicySync(module, { initial: INITIAL_PAGES, maximum: MAX_PAGES })
    policy.setData(data)
    return { policy, recycleAt: policy.mem.buffer.byteLength + GROWTH_BYTES }
  }
  checkInterface(module)
  let instance: Instance | undefined = load()
  checkEntrypoints(instance.policy)
  checkBuiltins(instance.policy)
  return {
    revision,
    evaluate(entrypoint, input) {
      const { policy, recycleAt } = (instance ??= load())
      // After a throw, the state of the instance's memory is unknown: only an evaluation that ends keeps it.
      instance = undefined
      const result = policy.evaluate(input, entrypoint)
      if (policy.mem.buffer.byteLength < recycleAt) instance = { policy, recycleAt }
      return documentOf(result)
    },
  }
}

interface Instance {
  readonly policy: LoadedPolicy
  readonly recycleAt: number
}

/** The result set has one row, or none when the document is undefined. */
const documentOf = (result: unknown): unknown => {
  if (!Array.isArray(result) || result.length !== 1) return undefined
  const row: unknown = result[0]
  return typeof row === 'object' && row !== null && 'result' in row ? row.result : undefined
}

/** The SDK writes to the console about a module that was not made by OPA. */
const checkInterface = (module: WebAssembly.Module): void => {
  const names = new Set(WebAssembly.Module.exports(module).map(({ name }) => name))
  for (const name of [
    'opa_wasm_abi_version',
    'opa_wasm_abi_minor_version',
    'opa_eval',
    'entrypoints',
    'builtins',
  ]) {
    if (!names.has(name)) throw new Error('policy.wasm is not of OPA; build it with: opa build -t wasm')
  }
}

const checkEntrypoints = ({ entrypoints }: LoadedPolicy): void => {
  for (const name of [DECISION, LIMITS]) {
    if (!Object.hasOwn(entrypoints, name)) {
      throw new Error(
        `policy bundle has no entry point ${name}; build it with: opa build -t wasm -e ${DECISION} -e ${LIMITS}`,
      )
    }
  }
}

const checkBuiltins = ({ mem, wasmInstance }: LoadedPolicy): void => {
  const { builtins, opa_json_dump: dump } = wasmInstance.exports as unknown as {
    readonly builtins: () => number
    readonly opa_json_dump: (address: number) => number
  }
  const bytes = new Uint8Array(mem.buffer, dump(builtins()))
  const needed = JSON.parse(new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)))) as object
  const missing = Object.keys(needed).filter((name) => !SDK_BUILTINS.has(name))
  if (missing.length > 0) {
    throw new Error(
      `policy bundle needs builtins that do not exist here: ${missing.join(', ')}; build it with policies/generated/capabilities.json`,
    )
  }
}
