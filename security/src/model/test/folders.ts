import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** A folder of its own for the length of the work. */
export const withFolder = async <Result>(work: (folder: string) => Promise<Result>): Promise<Result> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-model-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A program of a Python package: on the PATH, or where `.ci/run` installs it. */
export const pythonProgram = (name: string): string | undefined =>
  [...(process.env['PATH'] ?? '').split(delimiter), join(homedir(), '.cache/postern-governance/bin')]
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file))
