import type { Answer } from './answer.ts'

type Read = Partial<Pick<Answer, 'text' | 'tools' | 'finish' | 'completionTokens' | 'errorCode'>>

interface Said {
  readonly content?: string | null
  readonly refusal?: string | null
  readonly reasoning?: string | null
  readonly reasoning_content?: string | null
  readonly tool_calls?: readonly {
    readonly index?: number
    readonly function?: { readonly name?: string; readonly arguments?: string }
  }[]
}

interface Body {
  readonly choices?: readonly {
    readonly message?: Said
    readonly delta?: Said
    readonly finish_reason?: string | null
  }[]
  readonly usage?: { readonly completion_tokens?: number } | null
  readonly error?: { readonly code?: unknown; readonly type?: unknown } | string
}

/** A whole answer or an error body. What is no JSON is text: error pages must not look like an empty answer. */
export const readJson = (text: string): Read => {
  const body = parsed(text)
  if (body === undefined) return { text }
  const messages = (body.choices ?? []).flatMap(({ message }) => message ?? [])
  return {
    text: messages.map(spoken).join('\n'),
    tools: messages.flatMap(({ tool_calls }) =>
      (tool_calls ?? []).map((call) => ({
        name: call.function?.name ?? '',
        arguments: call.function?.arguments ?? '',
      })),
    ),
    finish: body.choices?.[0]?.finish_reason ?? '',
    completionTokens: body.usage?.completion_tokens ?? 0,
    errorCode: codeOf(body),
  }
}

/** Server-sent events, put together. An error event counts like an error body. */
export const readStream = (text: string): Read => {
  const bodies = text
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .flatMap((line) => parsed(line.slice(6)) ?? [])
  const calls = new Map<number, { name: string; arguments: string }>()
  const deltas = bodies.flatMap(({ choices }) => (choices ?? []).flatMap(({ delta }) => delta ?? []))
  for (const { index = 0, function: called } of deltas.flatMap(({ tool_calls }) => tool_calls ?? [])) {
    const call = calls.get(index) ?? { name: '', arguments: '' }
    call.name += called?.name ?? ''
    call.arguments += called?.arguments ?? ''
    calls.set(index, call)
  }
  return {
    text: deltas.map(spoken).join(''),
    tools: [...calls.values()],
    finish: bodies.flatMap(({ choices }) => choices?.[0]?.finish_reason ?? []).at(-1) ?? '',
    completionTokens: bodies.findLast(({ usage }) => usage)?.usage?.completion_tokens ?? 0,
    errorCode: bodies.map(codeOf).find((code) => code !== '') ?? '',
  }
}

const spoken = (said: Said): string =>
  [said.reasoning_content, said.reasoning, said.content, said.refusal]
    .filter((text) => typeof text === 'string')
    .join('')

const codeOf = ({ error }: Body): string => {
  if (typeof error !== 'object') return ''
  const { code, type } = error
  return typeof code === 'string' ? code : typeof type === 'string' ? type : ''
}

const parsed = (text: string): Body | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
