import { callsIn, type Call } from '../lint/calls.ts'
import { valueAt } from '../lint/code-values.ts'
import { dataValues } from '../lint/data-values.ts'
import { parseProgram, type Program } from '../lint/program.ts'
import type { Source } from '../lint/source.ts'
import { toolFunctions } from '../lint/tool-functions.ts'
import { dataTools, toolOf } from '../lint/tool.ts'
import { entryOf, textOf, type Value } from '../lint/value.ts'

/** One file's use of models: `tools` are those defined or named in it. */
export interface Use {
  readonly path: string
  readonly models: readonly string[]
  readonly tools: readonly string[]
  /** Largest answer that is asked for, in tokens; absent where nothing says. */
  readonly maxTokens?: number
}

const MODEL_KEYS = [
  'model',
  'model_name',
  'modelName',
  'model_id',
  'modelId',
  'deployment_name',
  'azure_deployment',
]
const MODEL_CALLS =
  /^(?:openai|anthropic|google|mistral|groq|bedrock|init_chat_model|ChatOpenAI|ChatAnthropic|LiteLLM|LiteLlm|Ollama|ChatOllama)$/
const NAME = /^[\w@.:/-]{1,127}\w$/

/** Undefined when the file names no model and no tool. Throws an Error for YAML that is none. */
export const usesIn = (source: Source): Use | undefined => {
  const found =
    source.language === 'python' || source.language === 'typescript'
      ? inCode(parseProgram(source))
      : inData(source)
  if (found.models.size === 0 && found.tools.size === 0) return undefined
  const maxTokens = Math.max(0, ...found.maxTokens)
  return {
    path: source.path,
    models: [...found.models].sort(),
    tools: [...found.tools].sort(),
    ...(maxTokens > 0 ? { maxTokens } : {}),
  }
}

interface Found {
  readonly models: Set<string>
  readonly tools: Set<string>
  readonly maxTokens: number[]
}

const nothing = (): Found => ({ models: new Set(), tools: new Set(), maxTokens: [] })

const inCode = (program: Program): Found => {
  const found = nothing()
  if (
    !/openai|anthropic|langchain|llama|litellm|ollama|genai|mistral|groq|bedrock|agent|generateText|streamText|@ai-sdk/.test(
      program.source.text,
    )
  )
    return found
  const calls = callsIn(program)
  for (const call of calls) fromCall(program, call, found)
  for (const { name } of toolFunctions(program, calls)) found.tools.add(name)
  program.tokens.forEach(({ kind, text }, at) => {
    if (kind === 'name' && /model(?:_name|_id)?$/i.test(text) && program.tokens[at + 1]?.text === '=')
      addModel(valueAt(program, { from: at + 2, to: at + 3 }), found)
    const close = program.closes.get(at)
    if (kind !== 'operator' || text !== '{' || close === undefined) return
    const value = valueAt(program, { from: at, to: close + 1 })
    fromEntries(value, found)
    const tool = toolOf(value)
    if (tool !== undefined) found.tools.add(tool.name)
  })
  return found
}

const fromCall = (program: Program, call: Call, found: Found): void => {
  for (const argument of call.args) {
    if (argument.name !== undefined) addSetting(argument.name, valueAt(program, argument), found)
    else if (MODEL_CALLS.test(call.name) && argument === call.args[0])
      addModel(valueAt(program, argument), found)
  }
}

const addSetting = (name: string, value: Value, found: Found): void => {
  if (MODEL_KEYS.includes(name)) addModel(value, found)
  if (
    ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'maxTokens', 'maxOutputTokens'].includes(
      name,
    )
  ) {
    const tokens = Number(textOf(value).replaceAll('_', ''))
    if (Number.isInteger(tokens) && tokens > 0 && tokens <= 1_000_000) found.maxTokens.push(tokens)
  }
}

const addModel = (value: Value, found: Found): void => {
  const name = textOf(value)
  if (value.kind === 'string' && NAME.test(name)) found.models.add(name)
}

const fromEntries = (value: Value, found: Found): void => {
  if (value.kind === 'object') for (const entry of value.entries()) addSetting(entry.key, entry.value, found)
}

const inData = (source: Source): Found => {
  const found = nothing()
  if (source.language !== 'yaml' && source.language !== 'json') return found
  if (!/model|provider|tools/.test(source.text)) return found
  const walk = (value: Value, depth: number): void => {
    if (depth > 60) return
    if (value.kind === 'list') for (const item of value.items()) walk(item, depth + 1)
    if (value.kind !== 'object') return
    fromEntries(value, found)
    for (const entry of value.entries()) walk(entry.value, depth + 1)
  }
  for (const root of dataValues(source.text)) {
    if (!isAboutModels(root, source.text)) continue
    walk(root, 0)
    for (const tool of dataTools(root)) found.tools.add(tool.name)
    const providers = entryOf(root, 'providers', 'targets')?.value
    if (providers?.kind === 'list')
      for (const provider of providers.items())
        addModel(provider.kind === 'object' ? (entryOf(provider, 'id')?.value ?? provider) : provider, found)
  }
  return found
}

/** `model` alone may be a car. */
const isAboutModels = (root: Value, text: string): boolean =>
  entryOf(
    root,
    'prompts',
    'providers',
    'messages',
    'tools',
    'llm',
    'agents',
    'model_list',
    'system_prompt',
  ) !== undefined || /openai|anthropic|gpt-|claude|llama|mistral|gemini|prompt/.test(text)
