/** Words of variable names whose values somebody outside the program usually writes: the user directly … */
const DIRECT = new Set(
  'input inputs question query message messages msg utterance request user history conversation dialogue chat'.split(
    ' ',
  ),
)
/** … or a document, a page, a mail, a tool. */
const INDIRECT = new Set(
  `context document documents doc docs content contents text email mail body page webpage html markdown search result results
  retrieved passage passages chunk chunks article transcript transcription comment comments review reviews feedback observation
  snippet snippets readme issue title abstract memory memories summary summaries facts evidence website news post tweet
  attachment resume paragraph knowledge sources report reports requirement requirements draft details notes dom emails`.split(
    /\s+/,
  ),
)
/** Words that make a name one of the program's own: `max_input_tokens`, `context_length`, `user_id`. */
const OWN = new Set(
  `id ids count num number max min length len limit size format schema language lang tone date time timestamp version type kind
  mode level index total tokens token budget name names example examples tool tools model template config settings locale
  currency url path file dir categories category topic style persona role options fields columns instructions default system
  prefix suffix header footer separator guidelines rules policy description prompts`.split(/\s+/),
)

/** Anywhere in a name. */
const NEVER_OUTSIDE = new Set('num max min system base default'.split(' '))

const SAFE_CALLS =
  'escape escapeHtml escape_xml sanitize sanitise quote wrap wrap_untrusted delimit fence dumps stringify encode base64 len length tojson repr hash redact'.split(
    ' ',
  )

/** Calls that say how something is read, not what it is. */
const READERS = ['read_text', 'readText']

export type Trust = 'own' | 'direct' | 'indirect'

/**
 * Judges by name who writes the value of an expression. Names in capitals are constants; a call that escapes, quotes or
 * encodes makes it the program's own.
 */
export const trustOf = (expression: string): Trust => {
  const names =
    asMembers(expression)
      .replace(/"[^"]*"|'[^']*'/g, ' ')
      .match(/[\p{L}_$][\p{L}\p{N}_$]{0,100}/gu) ?? []
  if (names.some((name) => SAFE_CALLS.includes(name))) return 'own'
  let verdict: Trust = 'own'
  for (const name of names) {
    if (name === name.toUpperCase() || READERS.includes(name)) continue
    const words = wordsOf(name)
    const last = words.at(-1) ?? ''
    if (OWN.has(last) || words.some((word) => NEVER_OUTSIDE.has(word))) {
      if (name === names.at(-1)) return 'own'
      continue
    }
    if (words.some((word) => DIRECT.has(word))) return 'direct'
    if (words.some((word) => INDIRECT.has(word))) verdict = 'indirect'
  }
  return verdict
}

/** `task["query"]` as `task.query`. */
export const asMembers = (expression: string): string =>
  expression.replaceAll(/\[["'](\w{1,80})["']\]|\.get\(["'](\w{1,80})["'][^()]{0,80}\)/g, '.$1$2')

/** `userInput`, `user_input` and `user-input` are the words user and input. */
export const wordsOf = (name: string): readonly string[] =>
  name
    .slice(0, 200)
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '')
