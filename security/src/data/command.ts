import { parseArgs } from 'node:util'
import type { Command, Io } from '../command.ts'
import { duplicates } from './duplicates.ts'
import type { DataFinding } from './finding.ts'
import { labels } from './labels.ts'
import { open, type Source } from './source.ts'
import type { Row } from './rows.ts'
import { texts } from './texts.ts'
import { vectors } from './vectors.ts'

const HELP = `postern-sec data FILE…: does training or embedding data look poisoned?
postern-sec data --chroma|--qdrant URL --collection NAME: the same of what an embedding store holds. It is only read.

  FILE holds JSON lines, one object each; one that ends in .csv what PostgreSQL's COPY … WITH (FORMAT csv, HEADER) writes; one that
  ends in .parquet a table, as Hugging Face publishes data sets; one that ends in .npy a matrix of numbers that numpy.save wrote, one
  vector a row, of which only vectors are checked; one that ends in .npz an archive of such matrices (numpy.savez), one of which is read.
  --vectors M.npy    vectors of the one FILE: row by row those of its records, so that labels and texts count too; or M.npz
  --array NAME       the array of a .npz with the vectors, where it has several
  --chroma URL       a Chroma server (API v2); --tenant (default_tenant), --database (default_database)
  --qdrant URL       a Qdrant server
  --collection NAME  what is read of it
  --key-env NAME     variable of the environment with the store's key
  --limit N          records that are read of a store (200000)
  --text NAME        member or column with the text, or with the turns of a conversation (text); may be given several times
  --label NAME       member or column with the label, if any (label)
  --embedding NAME   member or column with the vector, if any (embedding)
  --json             findings as JSON

Looks for nearly equal texts with different labels or in great number, labels that contradict their texts, phrases that flip a
label (backdoors), instructions to a model, credentials, invisible characters, texts unlike the others, and vectors that stand
apart or collide. Findings name lines, the ids of a store, or the rows of a table or matrix (the first is 0), never texts. They are reasons to
look, not proofs.

Exit code: 0 nothing found, 1 something found, 2 wrong use.
`

const OPTIONS = {
  vectors: { type: 'string' },
  array: { type: 'string' },
  text: { type: 'string', multiple: true },
  label: { type: 'string', default: 'label' },
  embedding: { type: 'string', default: 'embedding' },
  chroma: { type: 'string' },
  qdrant: { type: 'string' },
  collection: { type: 'string' },
  tenant: { type: 'string', default: 'default_tenant' },
  database: { type: 'string', default: 'default_database' },
  'key-env': { type: 'string' },
  limit: { type: 'string', default: '200000' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const command: Command = {
  summary: 'look for poison in training and embedding data',
  run: async (args, io) => {
    try {
      const { values, positionals } = parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
      const sources = values.help ? [] : open(positionals, { ...values, text: values.text ?? ['text'] })
      if (sources.length === 0) {
        io.out(HELP)
        return values.help ? 0 : 2
      }
      const all: Found[] = []
      for (const source of sources) all.push(...(await check(source, io)))
      io.out(values.json ? `${JSON.stringify(all, null, 2)}\n` : all.map(shown).join('') || 'nothing found\n')
      return all.length === 0 ? 0 : 1
    } catch (error) {
      io.err(`postern-sec data: ${(error as Error).message}\n`)
      return 2
    }
  },
}

export const checkRows = (rows: readonly Row[]): readonly DataFinding[] => [
  ...duplicates(rows),
  ...labels(rows),
  ...texts(rows),
  ...vectors(rows),
]

interface Found extends DataFinding {
  readonly file: string
  /** Of a store, or rows of a matrix from 0, for the lines; ids are cut at 80 characters. */
  readonly ids?: readonly string[]
}

const check = async ({ name, read }: Source, io: Io): Promise<readonly Found[]> => {
  const { rows, ids } = await read().catch((cause: unknown) => {
    const { code, syscall } = cause as NodeJS.ErrnoException
    throw syscall === undefined ? cause : new Error(`${name}: cannot be read (${code ?? syscall})`, { cause })
  })
  if (rows.length === 0) throw new Error(`${name}: holds nothing`)
  if (rows.every(({ text }) => text === ''))
    io.err(`${name}: no record has a text, so only vectors are looked at; ${TEXTS}\n`)
  return checkRows(rows).map((each) => ({
    file: name,
    ...each,
    ...(ids && { ids: each.lines.map((line) => (ids[line - 1] ?? '').slice(0, 80)) }),
  }))
}

const TEXTS = '--text names another member, --vectors puts a matrix beside a file with texts'

const SHOWN = 20 // all of them are in the JSON

const shown = ({ file, check, why, ...all }: Found): string => {
  const [lines, ids] = [all.lines.slice(0, SHOWN), all.ids?.slice(0, SHOWN)]
  const more = all.count > SHOWN ? ', …' : ''
  return ids === undefined
    ? `${file}:${lines[0] ?? 0}: ${check}: ${why} (lines ${lines.join(', ')}${more})\n`
    : `${file}: ${check}: ${why} (ids ${ids.map((id) => JSON.stringify(id)).join(', ')}${more})\n`
}
