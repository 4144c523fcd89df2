import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Version of a Python distribution in a virtual environment, or of an npm package; undefined when it is not there. */
export const installedVersion = (folder: string, name: string): string | undefined =>
  ofNpm(join(folder, 'node_modules', name, 'package.json')) ?? ofPython(join(folder, 'lib'), name)

const ofNpm = (file: string): string | undefined =>
  existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { version?: string }).version : undefined

const ofPython = (lib: string, name: string): string | undefined => {
  const wanted = `${normal(name)}-`
  const packages = existsSync(lib) ? readdirSync(lib).map((python) => join(lib, python, 'site-packages')) : []
  return packages
    .filter((path) => existsSync(path))
    .flatMap((path) => readdirSync(path))
    .filter((entry) => entry.endsWith('.dist-info') && normal(entry).startsWith(wanted))
    .map((entry) => entry.slice(wanted.length, -'.dist-info'.length))[0]
}

/** PEP 503, with underscores as folders are named. */
const normal = (name: string): string => name.toLowerCase().replaceAll(/[-_]+(?=\D)/g, '_')
