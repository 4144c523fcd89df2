import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect, test } from '@jest/globals'
import { readConfig } from '../proxy/src/config/read-config.ts'

const ROOT = join(import.meta.dirname, '..')
const document = readFileSync(join(import.meta.dirname, 'docs/models.md'), 'utf8')
const blocks = (language: string): readonly string[] =>
  [...document.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text)

test('the commands of docs/models.md work, one after the other', () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-docs-'))
  try {
    const commands = `set -eu\npostern-sec() { node ${join(ROOT, 'security/src/cli.ts')} "$@"; }\n${blocks('sh').join('\n')}`
    const path = `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}`
    const said = execFileSync('bash', ['-c', commands], {
      cwd: folder,
      env: { ...process.env, PATH: path },
      encoding: 'utf8',
      stdio: 'pipe',
    })
    expect(said).toContain('champion of support is 1 again, was 2')
    expect(JSON.parse(readFileSync(join(folder, 'bom.json'), 'utf8'))).toMatchObject({ specVersion: '1.7' })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 120_000)

test('the configuration of docs/models.md is good', () => {
  const yaml = `identity: { anonymous: { tenant: a, roles: [] } }
upstreams: [{ name: vllm, url: 'http://127.0.0.1:1' }]
${blocks('yaml')
  .join('\n')
  .replace('/etc/postern/models.json', import.meta.filename)}`
  expect(readConfig(yaml, { file: 'models.md', env: {}, readFile: () => '' }).models).toHaveLength(1)
})
