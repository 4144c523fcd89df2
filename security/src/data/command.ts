import { parseArgs } from 'node:util'
import type { Command } from '../command.ts'
import { duplicates } from './duplicates.ts'
import type { DataFinding } from './finding.ts'
import { labels } from './labels.ts'
import { readRows } from './rows.ts'
import { texts } from './texts.ts'
import { vectors } from './vectors.ts'

const HELP = `postern-sec data FILE…: does training or embedding data look poisoned?

  FILE holds JSON lines, one object each.
  --text NAME        member with the text (text)
  --label NAME       member with the label, if any (label)
  --embedding NAME   member with the vector, if any (embedding)
  --json             findings as JSON

Looks for nearly equal texts with different labels or in great number, labels that contradict their texts, phrases that flip a
label (backdoors), instructions to a model, credentials, invisible characters, texts unlike the others, and vectors that stand
apart or collide. Findings name lines, never texts. They are reasons to look, not proofs.

Exit code: 0 nothing found, 1 something found, 2 wrong use.
`

const OPTIONS = {
  text: { type: 'string', default: 'text' },
  label: { type: 'string', default: 'label' },
  embedding: { type: 'string', default: 'embedding' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const command: Command = {
  summary: 'look for poison in training and embedding data',
  run: async (args, io) => {
    try {
      const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
      if (values.help || positionals.length === 0) {
        io.out(HELP)
        return values.help ? 0 : 2
      }
      const all: (DataFinding & { readonly file: string })[] = []
      for (const file of positionals)
        all.push(...checkRows(await readRows(file, values)).map((each) => ({ file, ...each })))
      io.out(values.json ? `${JSON.stringify(all, null, 2)}\n` : all.map(shown).join('') || 'nothing found\n')
      return all.length === 0 ? 0 : 1
    } catch (error) {
      io.err(`postern-sec data: ${(error as Error).message}\n`)
      return 2
    }
  },
}

export const checkRows = (rows: Awaited<ReturnType<typeof readRows>>): readonly DataFinding[] => [
  ...duplicates(rows),
  ...labels(rows),
  ...texts(rows),
  ...vectors(rows),
]

const shown = ({ file, check, lines, count, why }: DataFinding & { readonly file: string }): string =>
  `${file}:${lines[0] ?? 0}: ${check}: ${why} (lines ${lines.join(', ')}${count > lines.length ? ', …' : ''})\n`
