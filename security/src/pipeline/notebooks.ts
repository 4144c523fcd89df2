import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { lastLine, run } from './program.ts'
import { failed, passed, skipped, type Told } from './step.ts'

const SKIPPED_FOLDERS = new Set(['node_modules', '.git', '.venv', 'dist'])
const LIMIT_MS = 120_000

/** Runs every notebook below the folder and compares its outputs with the stored ones, where pytest with nbval is there. */
export const notebookCheck = async (folder: string): Promise<Told> => {
  const notebooks = notebooksIn(folder)
  if (notebooks.length === 0) return skipped(`there is no notebook below ${folder}`)
  const python = await pythonWithNbval()
  if (python === undefined)
    return skipped('pytest with nbval is missing: pip install nbval==0.11.0 ipykernel')
  const { code, output } = await run(python, ['-m', 'pytest', '--nbval', '-q', ...notebooks], LIMIT_MS)
  if (code === 0) return passed(`${notebooks.length} notebooks: ${lastLine(output)}`)
  const cells = [...output.matchAll(/^FAILED (\S+)/gm)].slice(0, 3).map(([, cell]) => cell)
  return failed([lastLine(output), ...cells].join('; '))
}

const notebooksIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : notebooksIn(path)
    return entry.name.endsWith('.ipynb') ? [path] : []
  })

const pythonWithNbval = async (): Promise<string | undefined> => {
  const own = join(homedir(), '.cache/postern-redteam/nb/bin/python')
  for (const python of [...(existsSync(own) ? [own] : []), 'python3']) {
    const { code } = await run(python, ['-c', 'import nbval, pytest'], 20_000)
    if (code === 0) return python
  }
  return undefined
}
