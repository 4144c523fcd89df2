/** Shannon entropy of the characters of a string, in bits per character. */
export const entropy = (text: string): number => {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

const MASK = /[x*#._0-]{8}|(.)\1{6}/i

/** Not a mask such as `xxxxxxxx` or `AAAAAAAAAA`: what stands where documentation shows a credential. */
export const isVaried = (found: string): boolean => !MASK.test(found) && new Set(found).size >= 7

const PLACEHOLDER =
  /example|placeholder|changeme|change[_-]me|your|dummy|sample|redacted|\btodo\b|insert|replace|secret_?key|api_?key|access_?token|^(?:null|none|undefined|true|false|string|password|passwd|secret|token)$|[<>{}[\]()$%]|\.\.\.|\*\*|xxx|1234567|abcdefgh|deadbeef/i
const REFERENCE =
  /^[/#:,;]|:$|:\/\/|^arn:|^(?:process|os|env|config|settings|self|this|request|req|var|data|local|module|secrets|params|args|options)[.[]/i
const WORDS = /^[A-Za-z]+(?:[ _.:/-][A-Za-z]+)*$/

/** The value of an assignment that looks made by a machine: mixed, of high entropy, neither a name nor a reference nor a placeholder. */
export const looksRandom = (found: string): boolean =>
  !PLACEHOLDER.test(found) &&
  !REFERENCE.test(found) &&
  !WORDS.test(found) &&
  isVaried(found) &&
  /\d/.test(found) &&
  /[A-Za-z]/.test(found) &&
  entropy(found) >= 3

/** The value of a password assignment: people choose shorter and plainer ones than machines do. */
export const looksChosen = (found: string): boolean =>
  !PLACEHOLDER.test(found) &&
  !REFERENCE.test(found) &&
  !/^(?:[a-z]+|[A-Z]+|[A-Z]?[a-z]+(?:[A-Z][a-z]+)+)$/.test(found) &&
  new Set(found).size >= 5 &&
  (/\d/.test(found) || /[^\w\s]/.test(found))
