/** One thing that an argument should not say; every quantifier is bounded, so that matching is linear. */
export interface Phrase {
  readonly pattern: RegExp
  readonly score: number
  /** Only in an argument that is one short line: longer ones are documents or programs. */
  readonly short?: true
  /** Only in an argument that is a piece of a statement: in a whole one it is what the statement asks. */
  readonly piece?: true
}

const SHELL = '(?:/[\\w/]{0,32}/)?(?:(?:ba|z|k|da|c|fi)?sh|python3?|perl|ruby|node|php|iex)\\b'

/** Commands that destroy, fetch and run, or open a way in. Matched against lower case. */
export const shellPhrases: readonly Phrase[] = [
  {
    pattern:
      /\brm\s{1,8}(?:-[a-z-]{1,24}\s{1,8}){0,4}-(?:[a-z]{0,8}r[a-z]{0,8}|-recursive)\s{1,8}(?:-{1,2}[a-z-]{0,24}\s{1,8}){0,4}["']?(?:\/|~|\*|\$|\.\.?(?:\s|\/?\*|$))/,
    score: 1,
  },
  {
    pattern: new RegExp(
      `\\b(?:curl|wget|fetch|iwr|irm|invoke-webrequest|base64|xxd)\\b[^\\n|]{0,512}\\|\\s{0,8}(?:sudo\\s{1,8})?${SHELL}`,
    ),
    score: 1,
  },
  { pattern: new RegExp(`${SHELL}\\s{0,8}<\\s{0,4}\\(\\s{0,4}(?:curl|wget)\\b`), score: 1 },
  { pattern: new RegExp(`${SHELL}\\s{1,8}-c\\s{1,8}["']?\\$\\((?:curl|wget)\\b`), score: 1 },
  {
    pattern: /\b(?:iex|invoke-expression)\b[^\n]{0,64}(?:downloadstring|iwr|irm|invoke-webrequest)/,
    score: 1,
  },
  { pattern: /\/dev\/(?:tcp|udp)\//, score: 1 },
  { pattern: /\b(?:nc|ncat|netcat)\b[^\n]{0,64}\s-{1,2}(?:e|c|exec|sh-exec)\b/, score: 1 },
  { pattern: /\bsocat\b[^\n]{0,128}\bexec:/, score: 1 },
  { pattern: /\b(?:mkfs(?:\.\w{1,8})?|wipefs|shred)\s[^\n]{0,64}\/dev\//, score: 1 },
  { pattern: /\bdd\b[^\n]{0,128}\bof=\/dev\//, score: 1 },
  { pattern: />\s{0,4}\/dev\/(?:sd|hd|nvme|vd)[a-z0-9]/, score: 1 },
  { pattern: /:\s{0,4}\(\s{0,4}\)\s{0,4}\{\s{0,4}:\s{0,4}\|/, score: 1 },
  { pattern: /\bchmod\s{1,8}(?:-r\s{1,8})?(?:0?777|a\+rwx)\s{1,8}\//, score: 1 },
  { pattern: /\bpowershell(?:\.exe)?\b[^\n]{0,128}\s-e(?:c|nc|ncodedcommand)?\s/, score: 1 },
  { pattern: /\bcertutil\b[^\n]{0,64}-urlcache/, score: 1 },
  { pattern: /\bvssadmin\s{1,8}delete\b|\bcipher\s{1,8}\/w:/, score: 1 },
  { pattern: /\b(?:format\s{1,4}[a-z]:|(?:del|rd|rmdir)\s{1,4}\/[sq]\s)/, score: 0.8 },
  {
    pattern: new RegExp(
      `[;&|\`]\\s{0,4}(?:rm|curl|wget|nc|whoami|id|cat\\s{1,4}[/~]|${SHELL})(?:\\s|$|;|\`)`,
    ),
    score: 0.8,
    short: true,
  },
  { pattern: /\$\(\s{0,4}(?:curl|wget|cat|nc|bash|sh|id|whoami|env|printenv)\b/, score: 0.8, short: true },
]

/** Whether an argument, in lower case, is a statement and no piece of one. */
export const isStatement = (sql: string): boolean =>
  /^[\s(]{0,32}(?:select|with|explain|insert|update|delete)\s/.test(sql)

/** Statements that change or destroy a schema, reach out of the database, or come out of a quotation. Comments are blanks by then. */
export const sqlPhrases: readonly Phrase[] = [
  {
    pattern:
      /\bdrop\s{1,8}(?:table|database|schema|view|index|user|role|function|procedure|trigger)\s{1,8}["'`[\w]/,
    score: 0.9,
  },
  { pattern: /\btruncate\s{1,8}(?:table\s{1,8}["'`[\w]|["'`[\w.]{1,64}\s{0,8}(?:;|$))/, score: 0.9 },
  { pattern: /\balter\s{1,8}(?:table|user|role|database|system)\s{1,8}["'`[\w]/, score: 0.8 },
  {
    pattern:
      /\b(?:grant|revoke)\s{1,8}(?:all|select|insert|update|delete|execute)\b[^;\n]{0,128}\s(?:to|from)\s/,
    score: 0.8,
  },
  { pattern: /\bdelete\s{1,8}from\s{1,8}["'`\w.\]["]{1,128}\s{0,8}(?:;|$|--|#)/, score: 0.9 },
  { pattern: /['")\d]\s{0,8}\bunion\s{1,8}(?:all\s{1,8})?select\b/, score: 0.9, piece: true },
  {
    pattern:
      /['"]\s{0,8}(?:or|and|\|\||&&)\s{1,8}\(?['"]?\w{1,32}['"]?\s{0,8}(?:=|<>|like)\s{0,8}\(?['"]?\w{1,32}/,
    score: 0.9,
    short: true,
    piece: true,
  },
  {
    pattern:
      /['"\d]\s{0,8}(?:or|\|\|)\s{1,8}\(?(?:'(\w{0,32})'\s{0,8}(?:=|like)\s{0,8}'\1'?|"(\w{0,32})"\s{0,8}(?:=|like)\s{0,8}"\2"?|(\d{1,9})\s{0,8}=\s{0,8}\3(?!\d))/,
    score: 0.9,
    short: true,
  },
  { pattern: /['"]\s{0,8};\s{0,8}(?:select|insert|update|delete|drop|exec|shutdown|declare)\b/, score: 0.9 },
  { pattern: /\bxp_cmdshell\b|\bsp_oacreate\b/, score: 1 },
  { pattern: /\binto\s{1,8}(?:outfile|dumpfile)\b|\bload_file\s{0,4}\(/, score: 1 },
  { pattern: /\bpg_(?:read_file|read_binary_file|ls_dir)\s{0,4}\(|\blo_import\s{0,4}\(/, score: 1 },
  { pattern: /\bcopy\b[^;\n]{1,256}\b(?:to|from)\s{1,8}program\b/, score: 1 },
  { pattern: /\bwaitfor\s{1,8}delay\b|\bpg_sleep\s{0,4}\(|\bbenchmark\s{0,4}\(\s{0,4}\d/, score: 0.8 },
]
