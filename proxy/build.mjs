// Compiles the guard to proxy/dist: what an image or a package carries. Generated data is copied as it is.
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const dist = join(here, 'dist')
rmSync(dist, { recursive: true, force: true })
execFileSync('tsc', ['-p', join(here, 'tsconfig.build.json')], { stdio: 'inherit' })
for (const name of readdirSync(join(here, 'src'), { recursive: true, encoding: 'utf8' })) {
  if (/(^|\/)generated\/[^/]+$/.test(name) && !name.endsWith('.ts'))
    cpSync(join(here, 'src', name), join(dist, name))
}
cpSync(join(here, 'src/ui/assets'), join(dist, 'ui/assets'), { recursive: true })
mkdirSync(join(dist, 'scanners/generated'), { recursive: true })
const { writeFrozen } = await import(join(dist, 'compose/scanner.js'))
writeFrozen()
chmodSync(join(dist, 'cli.js'), 0o755)
