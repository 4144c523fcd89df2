import { afterAll, expect, test } from '@jest/globals'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { command } from './command.ts'
import { dockerArchive, findBuiltScanners, lockWith as plantedLock } from './test/planted.ts'
import { onPath } from './tool.ts'

findBuiltScanners()
const real = onPath('osv-scanner')
const withScanner = (title: string, run: () => Promise<void>): void => {
  if (real === undefined) test.skip(`${title} (skipped: there is no osv-scanner)`, run)
  else test(title, run, 120_000)
}

const folder = mkdtempSync(join(tmpdir(), 'postern-osv-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const scan = async (...args: readonly string[]) => {
  let out = ''
  const say = (text: string): void => void (out += text)
  const code = await command.run([...args, '--offline'], { out: say, err: say, terminal: false })
  return { code, out }
}

/** A zip with one file that is stored as it is. PKWARE's APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. */
const zip = (name: string, content: Buffer): Buffer => {
  const [title, sum, size] = [Buffer.from(name), crc32(content), content.length]
  const common = (signature: string, before: readonly number[], after: readonly number[]): Buffer => {
    const words = (list: readonly number[]): Buffer => Buffer.from(new Uint16Array(list).buffer)
    const sizes = Buffer.from(new Uint32Array([sum, size, size]).buffer)
    return Buffer.concat([Buffer.from(signature, 'latin1'), words(before), sizes, words(after), title])
  }
  const local = Buffer.concat([common('PK\x03\x04', [20, 0, 0, 0, 33], [title.length, 0]), content])
  const central = common('PK\x01\x02', [20, 20, 0, 0, 0, 33], [title.length, 0, 0, 0, 0, 0, 0, 0, 0])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(central.length, 12)
  end.writeUInt32LE(local.length, 16)
  return Buffer.concat([local, central, end])
}

/** The scanner's own format of a database, with one planted weakness of one planted package. */
const plantDatabase = (): void => {
  const weakness = {
    schema_version: '1.6.0',
    id: 'GHSA-aaaa-bbbb-cccc',
    aliases: ['CVE-2026-7'],
    modified: '2026-01-01T00:00:00Z',
    published: '2026-01-01T00:00:00Z',
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [
      {
        package: { ecosystem: 'npm', name: 'leftish' },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.0.1' }] }],
      },
    ],
  }
  const file = zip(`${weakness.id}.json`, Buffer.from(JSON.stringify(weakness)))
  for (const name of ['osv-scanner', 'osv-scalibr']) {
    mkdirSync(join(folder, 'database', name, 'npm'), { recursive: true })
    writeFileSync(join(folder, 'database', name, 'npm/all.zip'), file)
  }
  process.env['OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY'] = join(folder, 'database')
}

const lockWith = (version: string): string => {
  const file = plantedLock(folder, version)
  // What would hide the weakness from osv-scanner alone.
  const ignored = '[[IgnoredVulns]]\nid = "GHSA-aaaa-bbbb-cccc"\nreason = "none"\n'
  writeFileSync(join(dirname(file), 'osv-scanner.toml'), ignored)
  return file
}

const FOUND = 'FAILS: critical GHSA-aaaa-bbbb-cccc in leftish 1.0.0; fixed in 1.0.1'

withScanner('the real scanner finds a planted weakness, and not in the version without it', async () => {
  plantDatabase()
  const bad = await scan('--lock', lockWith('1.0.0'))
  expect([bad.code, bad.out]).toEqual([1, expect.stringContaining(FOUND)])
  const good = await scan('--lock', lockWith('1.0.1'))
  expect([good.code, good.out]).toEqual([0, expect.stringMatching(/^lock file +passed /m)])
})

withScanner('the real scanner finds it in an image', async () => {
  plantDatabase()
  const { code, out } = await scan('--lock', lockWith('1.0.1'), '--image', dockerArchive(folder))
  expect([code, out]).toEqual([1, expect.stringContaining(`Dockerfile: ${FOUND}`)])
})

withScanner('without a database the real scanner fails, and so does the scan', async () => {
  process.env['OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY'] = join(folder, 'none')
  const { code, out } = await scan('--lock', lockWith('1.0.0'), '--image', dockerArchive(folder))
  expect(code).toBe(1)
  expect(out).toMatch(/^lock file +failed .*no offline version/m)
  expect(out).toMatch(/^image .* failed .*no offline version/m)
})
