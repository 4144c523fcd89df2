import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { command } from './command.ts'
import { dockerArchive, findBuiltScanners, installedTree, lockWith, ociLayout } from './test/planted.ts'
import { onPath } from './tool.ts'

findBuiltScanners()
const grype = onPath('grype')
const syft = onPath('syft')
const withProgram = (
  program: string | undefined,
  name: string,
): ((title: string, run: () => void | Promise<void>) => void) => {
  return (title, run) =>
    program === undefined
      ? test.skip(`${title} (skipped: there is no ${name})`, run)
      : test(title, run, 300_000)
}
const withGrype = withProgram(grype, 'grype')
const withSyft = withProgram(syft, 'syft')

const folder = mkdtempSync(join(tmpdir(), 'postern-anchore-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

// osv-scanner would ask its service about the lock file.
process.env['PATH'] = mkdtempSync(join(folder, 'programs-'))
for (const [name, program] of Object.entries({ grype, syft }))
  if (program !== undefined) symlinkSync(program, join(process.env['PATH'], name))

const scan = async (...args: readonly string[]) => {
  let out = ''
  const say = (text: string): void => void (out += text)
  const recipe = join(folder, 'Dockerfile')
  writeFileSync(recipe, 'FROM scratch\n')
  const images = args.map((arg) => arg.replace('=Dockerfile', `=${recipe}`))
  const lock = lockWith(folder, '1.0.1')
  const code = await command.run(['--lock', lock, ...images], { out: say, err: say, terminal: false })
  return { code, out }
}

/** Grype's own format of a database (schema 6.1), with one planted weakness of one planted package. */
beforeAll(() => {
  if (grype === undefined) return
  const file = join(folder, 'planted.db')
  const database = new DatabaseSync(file)
  database.exec(`
    CREATE TABLE db_metadata (build_timestamp datetime, model integer, revision integer, addition integer);
    CREATE TABLE blobs (id integer PRIMARY KEY, value text NOT NULL);
    CREATE TABLE providers (id text PRIMARY KEY, version text, processor text, date_captured datetime, input_digest text);
    CREATE TABLE packages (id integer PRIMARY KEY, ecosystem text, name text);
    CREATE TABLE vulnerability_handles (id integer PRIMARY KEY, name text NOT NULL, status text NOT NULL,
      published_date datetime, modified_date datetime, withdrawn_date datetime, provider_id text NOT NULL, blob_id integer);
    CREATE TABLE affected_package_handles (id integer PRIMARY KEY, vulnerability_id integer NOT NULL,
      operating_system_id integer, package_id integer, blob_id integer);
    INSERT INTO packages VALUES (1, 'npm', 'leftish');
    INSERT INTO vulnerability_handles VALUES (1, 'GHSA-aaaa-bbbb-cccc', 'active', NULL, NULL, NULL, 'github', 1);
    INSERT INTO affected_package_handles VALUES (1, 1, NULL, 1, 2);`)
  const put = (sql: string, ...values: readonly string[]): void => void database.prepare(sql).run(...values)
  const now = new Date().toISOString()
  const severities = [{ scheme: 'CHML', value: 'critical', rank: 1 }]
  const ranges = [
    { version: { type: 'semver', constraint: '<1.0.1' }, fix: { version: '1.0.1', state: 'fixed' } },
  ]
  put('INSERT INTO db_metadata VALUES (?, 6, 1, 10)', now)
  put("INSERT INTO providers VALUES ('github', '1', 'vunnel', ?, 'sha256:0')", now)
  put('INSERT INTO blobs VALUES (1, ?)', JSON.stringify({ id: 'GHSA-aaaa-bbbb-cccc', severities }))
  put('INSERT INTO blobs VALUES (2, ?)', JSON.stringify({ cves: ['CVE-2026-7'], ranges }))
  database.close()
  process.env['GRYPE_DB_CACHE_DIR'] = join(folder, 'database')
  process.env['GRYPE_DB_AUTO_UPDATE'] = 'false'
  // Jest gives tests a copy of the environment, which a child only gets when it is handed over.
  execFileSync(grype, ['db', 'import', file], { stdio: 'ignore', env: process.env })
}, 300_000)

const FOUND = 'Dockerfile: FAILS: critical GHSA-aaaa-bbbb-cccc in leftish 1.0.0; fixed in 1.0.1'

withGrype(
  'the real grype finds a planted weakness in an archive of docker save, in an OCI layout and among installed packages',
  async () => {
    for (const image of [dockerArchive(folder), ociLayout(folder), `dir:${installedTree(folder)}`]) {
      const { code, out } = await scan('--image', `${image}=Dockerfile`)
      expect([image, code, out]).toEqual([image, 1, expect.stringContaining(FOUND)])
    }
  },
)

withGrype(
  'an exception names it by its other name, and a configuration in the folder does not hide it',
  async () => {
    const image = dockerArchive(folder)
    const exceptions = join(folder, 'exceptions.yaml')
    const until = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10)
    const reason = 'The parser it is in reads nothing from outside.'
    writeFileSync(exceptions, JSON.stringify({ exceptions: [{ id: 'CVE-2026-7', reason, until }] }))
    expect(await scan('--image', `${image}=Dockerfile`, '--exceptions', exceptions)).toMatchObject({
      out: expect.stringContaining(`exception until ${until}`),
    })
    const before = process.cwd()
    process.chdir(mkdtempSync(join(folder, 'hiding-')))
    try {
      writeFileSync('.grype.yaml', 'ignore: [{ vulnerability: GHSA-aaaa-bbbb-cccc }]\n')
      const { out } = await scan('--image', `${image}=Dockerfile`)
      expect(out).toContain('FAILS: critical GHSA-aaaa-bbbb-cccc')
    } finally {
      process.chdir(before)
    }
  },
)

withGrype('offline the database that is there is taken where there is no osv-scanner', async () => {
  delete process.env['GRYPE_DB_AUTO_UPDATE']
  const { code, out } = await scan('--offline', '--image', `${ociLayout(folder)}=Dockerfile`)
  process.env['GRYPE_DB_AUTO_UPDATE'] = 'false'
  expect([code, out]).toEqual([1, expect.stringContaining(FOUND)])
})

withGrype('without a database, or for an image that is nowhere, the scan fails and says why', async () => {
  const own = process.env['GRYPE_DB_CACHE_DIR']
  process.env['GRYPE_DB_CACHE_DIR'] = join(folder, 'none')
  const { code, out } = await scan('--image', `${dockerArchive(folder)}=Dockerfile`)
  expect([code, out]).toEqual([1, expect.stringMatching(/^image .* failed .*database does not exist/m)])
  process.env['GRYPE_DB_CACHE_DIR'] = own
  const gone = await scan('--image', `oci-dir:${join(folder, 'nowhere')}=Dockerfile`)
  expect([gone.code, gone.out]).toEqual([
    1,
    expect.stringMatching(/^image .* failed .*grype ended with 1: \S/m),
  ])
})

withGrype('a folder without any package is no clean folder', async () => {
  const empty = mkdtempSync(join(folder, 'empty-'))
  const { code, out } = await scan('--image', `dir:${empty}=Dockerfile`)
  if (syft === undefined) expect(out).toMatch(/^image .* skipped .*grype and syft are needed/m)
  else expect([code, out]).toEqual([1, expect.stringMatching(/^image .* failed .*syft finds no package/m)])
})

withSyft(
  'the real syft makes the bill of materials of an image, also where a configuration leaves everything out',
  async () => {
    const before = process.cwd()
    process.chdir(mkdtempSync(join(folder, 'leaving-out-')))
    try {
      writeFileSync('.syft.yaml', 'exclude: ["**/*"]\n')
      for (const image of [dockerArchive(folder), ociLayout(folder)]) {
        const bom = mkdtempSync(join(folder, 'bom-'))
        const { out } = await scan('--image', `${image}=Dockerfile`, '--bom', bom)
        expect(out).toMatch(/^bill of .* passed .*CycloneDX with [1-9]\d* components/m)
        const file = join(bom, `${image.replace(/[^\w.-]+/g, '_')}.cdx.json`)
        const { components } = JSON.parse(readFileSync(file, 'utf8')) as { components: { purl?: string }[] }
        expect(components.map(({ purl }) => purl)).toContain('pkg:npm/leftish@1.0.0')
      }
    } finally {
      process.chdir(before)
    }
  },
)
