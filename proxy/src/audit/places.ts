/** A path of the record, for a person: `/messages/1/content/0/text` is `message 2, part 1`. Counted from 1. */
export const placeOf = (path: string): string => {
  const steps = path.split('/').map((step) => step.replace(/#$/, ''))
  if (steps[0] !== '') return laneOf(steps)
  const [, first = '', ...rest] = steps
  const name = NAMES[first]
  if (first === 'messages' && isIndex(rest[0])) return place(`message ${numberOf(rest[0])}`, rest.slice(1))
  if (first === 'choices' && isIndex(rest[0])) return place(answer(rest[0]), rest.slice(1))
  if (first === 'tools' && isIndex(rest[0]))
    return place(`tool definition ${numberOf(rest[0])}`, rest.slice(1))
  return place(name ?? first, rest)
}

const NAMES: Readonly<Record<string, string>> = {
  system: 'the system prompt',
  prompt: 'the prompt',
  input: 'the input',
  content: 'the answer',
  stop: 'the stop sequences',
  stop_sequences: 'the stop sequences',
  metadata: 'the metadata',
  error: 'the error message of the model server',
}

const PARTS: Readonly<Record<string, string>> = {
  tool_calls: 'tool call',
  content: 'part',
  arguments: 'arguments',
  reasoning_content: 'reasoning',
  reasoning: 'reasoning',
  thinking: 'reasoning',
  description: 'description',
  parameters: 'parameters',
  input_schema: 'parameters',
  '*': 'a key of the caller’s own',
  '~key': 'a name of a key',
  name: 'name',
  refusal: 'refusal',
}

/** Steps that add nothing for a reader. */
const SILENT = new Set(['message', 'function', 'text', 'delta', 'properties', ''])

const place = (start: string, steps: readonly string[]): string => {
  const words = [start]
  for (let at = 0; at < steps.length; at++) {
    const step = steps[at] ?? ''
    const next = steps[at + 1]
    if (isIndex(next) && !isIndex(step)) {
      words.push(`${PARTS[step] ?? step} ${numberOf(next)}`)
      at++
    } else if (isIndex(step)) words.push(`part ${numberOf(step)}`)
    else if (!SILENT.has(step) && !(step === 'content' && at <= 1)) words.push(PARTS[step] ?? step)
  }
  return words.join(', ')
}

/** `0/content`, as streams name their texts. */
const laneOf = ([choice = '', part = '', ...rest]: readonly string[]): string =>
  place(
    answer(choice),
    part === 'content' ? rest.filter((step) => !isIndex(step)) : [LANES[part] ?? part, ...rest],
  )

const LANES: Readonly<Record<string, string>> = { tool: 'tool_calls', function_call: 'tool call' }

const answer = (choice = ''): string =>
  choice === '0' || !isIndex(choice) ? 'the answer' : `answer ${numberOf(choice)}`

const isIndex = (step: string | undefined): step is string => step !== undefined && /^\d{1,5}$/.test(step)

const numberOf = (index: string): number => Number(index) + 1
