import { tokenizeTypescript } from './typescript.ts'

/**
 * The Python of a Jupyter notebook, in a text of the same length: everything that is not the source of a code cell is
 * blank, so places stay those of the file.
 */
export const notebookCode = (text: string): string => {
  const kept: string[] = []
  let from = 0
  let isCode = false
  const tokens = tokenizeTypescript(text).filter(({ kind }) => kind !== 'newline')
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]
    if (token?.kind !== 'string' || tokens[at + 1]?.text !== ':') continue
    if (token.text === '"cell_type"') isCode = tokens[at + 2]?.text === '"code"'
    if (token.text !== '"source"' || !isCode) continue
    for (at += 2; at < tokens.length && tokens[at]?.text !== ']'; at++) {
      const [piece] = tokens[at]?.pieces ?? []
      if (piece?.kind === 'text') {
        kept.push(blank(text.slice(from, piece.start)), piece.text)
        from = piece.start + piece.text.length
      }
      if (tokens[at]?.kind === 'string' && tokens[at + 1]?.text !== ',') break
    }
  }
  return kept.join('') + blank(text.slice(from))
}

const blank = (text: string): string => text.replace(/[^\n]/g, ' ')
