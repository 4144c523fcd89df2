import { asMembers, trustOf, wordsOf, type Trust } from './trust.ts'

/** `known` own text: a literal, or something escaped or counted. `unknown`: nothing shows who writes it. */
export type Origin = Trust | 'unknown'

const DIRECT =
  /\b(?:request|flask\.request)\.(?:json|form|args|data|get_json|get_data|body|query_params|path_params|POST|GET|values|files|text|formData|nextUrl|query|params)\b|\b(?:req|ctx|context|c|event)\.(?:body|query|params|json|text|formData|nextUrl|request|queryStringParameters|pathParameters|req)\b|\bsys\.argv\b|\bprocess\.argv\b|(?<![\w.])input\(|\b(?:st|streamlit|sidebar)\.(?:text_input|text_area|chat_input)\(|\breceive_(?:text|json)\(|\bsearchParams\.get\(|\bformData\.get\(|\b(?:rl|readline)\.question\(|\bPrompt\.ask\(|\bclick\.prompt\(|\bargs\.(?:query|question|prompt|input|message|topic)\b|\bupdate\.message\b|\bchat_input\(|\bevent\[["'](?:body|queryStringParameters)["']\]/
const INDIRECT =
  /\b(?:requests|httpx|axios|session|aiohttp)\.(?:get|post|request)\(|(?<![\w.])fetch\(|\burlopen\(|\bpage_content\b|\bpageContent\b|\bget_relevant_documents\(|\b(?:similarity_)?search(?:_with_score)?\(|\bretriever\b|\bBeautifulSoup\(|\.get_text\(|\.extract_text\(|\bPdfReader\(|\bload_data\(|\.inner_text\(|\.innerText\b|\bscrape\w{0,20}\(|\btranscri(?:be|pt)\w{0,20}\(/
const SAFE =
  /\b(?:int|float|bool|len|Number|parseInt|parseFloat|Boolean|escape\w*|sanitiz\w*|sanitis\w*|quote|wrap_untrusted|delimit|fence|dumps|stringify|b64encode|encodeURIComponent|hexdigest|sha256|strftime|toISOString|isoformat)\(/

/** What the text of an expression shows by itself. */
export const originOf = (expression: string): Origin => {
  const bare = expression.slice(0, 400)
  if (SAFE.test(bare)) return 'own'
  if (DIRECT.test(bare)) return 'direct'
  return INDIRECT.test(bare) ? 'indirect' : 'unknown'
}

const RANK: Readonly<Record<Origin, number>> = { own: 0, unknown: 1, indirect: 2, direct: 3 }

/** Of several values that may be there, the one to fear most. None is own. */
export const worst = (origins: readonly Origin[]): Origin =>
  origins.reduce<Origin>((one, two) => (RANK[two] > RANK[one] ? two : one), 'own')

/** What the flow shows, else what the name says. */
export const settled = (origin: Origin, expression: string): Trust =>
  origin === 'unknown' ? trustOf(expression) : origin

/** Names at the beginning of paths: `docs` and `sep` in `sep.join(docs)`, without those of calls and of strings. */
export const rootsOf = (expression: string): readonly string[] => {
  const bare = asMembers(expression.slice(0, 400)).replace(/"[^"]*"|'[^']*'/g, ' ')
  const paths =
    bare.match(/(?<![\w$.])[A-Za-z_$][\w$]{0,80}(?:\.[A-Za-z_$][\w$]{0,80}){0,4}(?!\w*["'(=])/g) ?? []
  return [...new Set(paths)].filter((path) => !KEYWORDS.has(path)).slice(0, 12)
}

const KEYWORDS = new Set(
  'if else for in not and or is await new None True False null undefined true false lambda this self typeof str'.split(
    ' ',
  ),
)

/** Parameters of a handler that are not the caller's: connections, settings, the authenticated user. */
export const isPlumbing = (name: string): boolean =>
  wordsOf(name).some((word) =>
    [
      'db',
      'session',
      'settings',
      'config',
      'client',
      'tasks',
      'background',
      'service',
      'response',
      'res',
      'current',
    ].includes(word),
  )

/** Calls whose result is the text they are given, or a part of it. */
const PASSING = new Set(
  'str strip trim lower upper format join split get loads parse title capitalize replace slice substring substr concat toString String list sorted reversed map filter encode decode normalize lstrip rstrip rstrip dedent cast text json next'.split(
    /\s+/,
  ),
)

/** An expression without what it hands to functions that make something else of it: `f(x)` is `f()`. */
export const withoutArguments = (expression: string): string => {
  const text = expression.slice(0, 400)
  if (!text.includes('(')) return text
  let kept = ''
  let from = 0
  for (let at = text.indexOf('('); at >= 0; at = text.indexOf('(', from)) {
    const name = /([\w$]{1,80})$/.exec(text.slice(0, at))?.[1]
    kept += text.slice(from, at + 1)
    from = at + 1
    if (name === undefined || PASSING.has(name) || KEYWORDS.has(name)) continue
    let depth = 1
    while (from < text.length && depth > 0) {
      const char = text.charAt(from)
      depth += char === '(' ? 1 : char === ')' ? -1 : 0
      if (depth > 0) from++
    }
  }
  return kept + text.slice(from)
}
