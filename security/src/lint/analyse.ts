import { checkCalls } from './checks/calls.ts'
import { checkInterpolation } from './checks/interpolation.ts'
import { checkModels } from './checks/models.ts'
import { checkPromptText } from './checks/prompt-text.ts'
import { checkSwitches } from './checks/switches.ts'
import { checkApproval, checkToolFunctions } from './checks/tool-functions.ts'
import { checkTool } from './checks/tools.ts'
import { checkVariables } from './checks/variables.ts'
import { codePrompts } from './code-prompts.ts'
import { valueAt } from './code-values.ts'
import { dataPrompts } from './data-prompts.ts'
import { dataValues } from './data-values.ts'
import type { Finding } from './finding.ts'
import { createFlow, type Links } from './flow.ts'
import { notebookCode } from './notebook.ts'
import { parseProgram, type Program } from './program.ts'
import type { Prompt } from './prompt.ts'
import { checkPromptFile } from './prompt-file.ts'
import { codeSettings, dataSettings } from './settings.ts'
import type { Source } from './source.ts'
import { textPrompts, type TextKind } from './text-prompts.ts'
import { toolFunctions } from './tool-functions.ts'
import { dataTools, toolOf, type Tool } from './tool.ts'

/** A place where the flow shows that what is put in is the program's own. */
export interface Cleared {
  readonly path: string
  readonly start: number
}

export interface Analysed {
  /** Also those in files that this one imports. */
  readonly findings: readonly Finding[]
  /** In files that this one imports. */
  readonly cleared: readonly Cleared[]
}

/** Every finding that one file leads to. Throws an Error for YAML that is none and code that is no program. */
export const analyse = (source: Source, links?: Links): Analysed => {
  const cleared: Cleared[] = []
  return { findings: isAboutModels(source) ? analyseAll(source, { links, cleared }) : [], cleared }
}

interface Beside {
  readonly links: Links | undefined
  readonly cleared: Cleared[]
}

/** The findings of one file in its order, each rule once per place, guesses only where the flow does not know better. */
export const settle = (findings: readonly Finding[], cleared: readonly Cleared[]): readonly Finding[] => {
  const known = new Set(cleared.map(({ start }) => start))
  for (const { rule, start, isGuess } of findings)
    if (INSERTED.includes(rule) && isGuess !== true) known.add(start)
  const left = findings.filter(
    ({ rule, start, isGuess }) => !INSERTED.includes(rule) || isGuess !== true || !known.has(start),
  )
  const seen = new Set<string>()
  return [...left]
    .sort((one, two) => one.start - two.start || one.rule.localeCompare(two.rule) || two.end - one.end)
    .filter(({ rule, start }) => {
      const key = `${rule}:${start}`
      return !seen.has(key) && seen.add(key)
    })
}

const INSERTED: readonly string[] = ['untrusted-in-system-prompt', 'no-delimiters']

const WORDS =
  /openai|anthropic|langchain|llama|crewai|autogen|transformers|litellm|ollama|generatetext|streamtext|genai|mistral|cohere|smolagents|haystack|semantic_kernel|bedrock|groq|agent|llm|prompt|mcp|gpt-|claude|gemini|"role"|system|pickle|torch|tools?\b|parameters|input_?schema|allow_/i

const isAboutModels = ({ language, text }: Source): boolean => language === 'text' || WORDS.test(text)

const analyseAll = (source: Source, beside: Beside): readonly Finding[] => {
  switch (source.language) {
    case 'python':
    case 'typescript':
      return analyseCode(parseProgram(source), beside)
    case 'yaml':
    case 'json':
      return dataValues(source.text).flatMap((root) => {
        const settings = dataSettings(root)
        const ofFile = checkPromptFile(root)
        return [
          // A prompt file declares who writes each variable, so names are not asked.
          ...dataPrompts(root)
            .flatMap(checkPrompt)
            .filter(({ rule }) => ofFile === undefined || rule !== 'untrusted-in-system-prompt'),
          ...checkTools(dataTools(root), source.text),
          ...checkSwitches(settings),
          ...checkModels(settings),
          ...(ofFile ?? []),
        ]
      })
    case 'text':
      return textPrompts(source.text, kindOf(source.path)).flatMap(checkPrompt)
    case 'notebook':
      return analyseCode(
        parseProgram({ ...source, language: 'python', text: notebookCode(source.text) }),
        beside,
      )
  }
}

const kindOf = (path: string): TextKind => {
  if (/(^|\/)(?:AGENTS|CLAUDE|GEMINI)\.md$|copilot-instructions|rules$/.test(path)) return 'instructions'
  return /system|instructions/i.test(path.slice(path.lastIndexOf('/') + 1)) ? 'system' : 'template'
}

const checkPrompt = (prompt: Prompt): readonly Finding[] => [
  ...checkInterpolation(prompt),
  ...checkPromptText(prompt),
  ...checkVariables(prompt),
]

const analyseCode = (program: Program, { links, cleared }: Beside): readonly Finding[] => {
  const flow = createFlow(program, links)
  const prompts = codePrompts(flow)
  for (const { pieces } of prompts)
    for (const piece of pieces)
      if (piece.kind === 'hole' && piece.path !== undefined && piece.known === true && piece.trust === 'own')
        cleared.push({ path: piece.path, start: piece.start })
  const { calls } = flow
  const functions = toolFunctions(program, calls)
  const settings = codeSettings(program)
  return [
    ...prompts.flatMap(checkPrompt),
    ...checkTools(codeTools(program), ''),
    ...checkCalls(program, calls),
    ...checkToolFunctions(program, calls, functions),
    ...checkApproval(program.source.text, functions),
    ...checkSwitches(settings),
    ...checkModels(settings),
  ]
}

const codeTools = (program: Program): readonly Tool[] =>
  program.tokens.flatMap(({ kind, text }, at) => {
    const close = program.closes.get(at)
    if (kind !== 'operator' || text !== '{' || close === undefined) return []
    return toolOf(valueAt(program, { from: at, to: close + 1 })) ?? []
  })

/** `text` is searched for words of approval; configuration that has none says so. */
const checkTools = (tools: readonly Tool[], text: string): readonly Finding[] => [
  ...tools.flatMap(checkTool),
  ...(text === '' ? [] : checkApproval(text, tools)),
]
