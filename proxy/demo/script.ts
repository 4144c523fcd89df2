/** What the demo model says. Deterministic: the same request has the same answer, so that the tour can be checked. */
export interface ModelRequestBody {
  readonly model: string
  readonly stream?: boolean
  readonly n?: number
  readonly max_tokens?: number
  readonly messages?: readonly {
    readonly role: string
    readonly content?: string | null | readonly { readonly text?: string }[]
  }[]
  readonly prompt?: string | readonly string[]
  readonly input?: string | readonly string[]
  readonly system?: string
  readonly tools?: readonly unknown[]
  readonly logprobs?: boolean | number
  readonly stream_options?: { readonly include_usage?: boolean }
}

export interface ModelSays {
  /** The text in the pieces in which a stream sends it. */
  readonly pieces: readonly string[]
  readonly reasoning?: string
  readonly tools?: readonly { readonly name: string; readonly arguments: string }[]
}

export type Script = (body: ModelRequestBody) => ModelSays

/** Text of the last message, whatever its shape. */
export const lastText = (body: ModelRequestBody): string => {
  const content = body.messages?.at(-1)?.content ?? body.prompt ?? ''
  return typeof content === 'string'
    ? content
    : content.map((part) => (typeof part === 'string' ? part : (part.text ?? ''))).join(' ')
}

/** Assembled here, so that no scanner of repositories takes it for a real one. */
export const DEMO_KEY = ['AKIA', 'Q4HDMNB2', 'XW7RKT5V'].join('')

export const demoScript: Script = (body) => {
  const text = lastText(body)
  const lower = text.toLowerCase()
  if (body.messages?.at(-1)?.role === 'tool') return { pieces: words(`The tool answered: ${text}`) }
  if (lower.includes('weather') && body.tools) {
    return { pieces: [], tools: [{ name: 'get_weather', arguments: '{"city":"Paris"}' }] }
  }
  if (lower.includes('delete') && body.tools) {
    return { pieces: [], tools: [{ name: 'delete_everything', arguments: '{"sure":true}' }] }
  }
  if (lower.includes('deploy key')) {
    return {
      pieces: [
        'The deploy key is ',
        DEMO_KEY.slice(0, 6),
        DEMO_KEY.slice(6, 15),
        DEMO_KEY.slice(15),
        ', keep it safe.',
      ],
    }
  }
  return { pieces: words(`You said: ${text.slice(0, 200)}`) }
}

const words = (text: string): readonly string[] => text.match(/\s*\S+/g) ?? []
