import { expect, test } from '@jest/globals'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { captureFile } from '../src/audit/capture.ts'
import { fileAudit } from '../src/audit/file.ts'
import { fileOptions, quiet, recordOf } from '../src/audit/samples.ts'
import { evidenceCommand } from '../src/cli/evidence.ts'

const run = async (args: readonly string[], env: Record<string, string> = {}) => {
  let [out, err] = ['', '']
  const io = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    stdin: () => Promise.reject(new Error('nothing')),
    env,
    paint: (_: string, text: string) => text,
  }
  return { exit: await evidenceCommand.run(args, io), out, err }
}

test('a bundle and captured content are made, verified and read from the command line', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-evidence-cli-'))
  try {
    const at = (name: string): string => join(folder, name)
    const passphrase = 'for the test only'
    const { publicKey, privateKey } = generateKeyPairSync('x25519')
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })
    writeFileSync(at('auditor.key'), pem)
    const capture = await captureFile(
      {
        path: at('captures.jsonl'),
        publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        tenants: ['acme'],
        ...{
          maxBytes: 1 << 20,
          maxAgeMs: Infinity,
          keepFiles: 1,
          keepMs: Infinity,
          maxQueue: 1 << 20,
          stallMs: 5000,
        },
        onFailure: 'refuse',
      },
      quiet,
    )
    const { texts } = recordOf('x1')
    const sha256 = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae' // of foo
    const text = { direction: 'request', path: '/messages/0/content', sha256, value: 'foo' } as const
    const [line] = await capture.keep({ id: 'x1', tenant: 'acme' }, [text])
    await capture.keep({ id: 'x1', tenant: 'acme' }, [{ ...text, path: '/put/in' }])
    await capture.close()
    const log = await fileAudit(fileOptions(at('audit.log')), quiet)
    await log.end({ ...recordOf('x1'), texts: texts.map((one) => ({ ...one, capture: line ?? '' })) })
    await log.close()

    const range = ['--from', '2020-01-01', '--to', '2100-01-01T00:00:00Z', '--log', at('audit.log')]
    const made = await run(['export', ...range, '-o', at('all.tar'), '--captures', at('captures.jsonl')])
    expect([made.exit, made.out]).toEqual([
      0,
      expect.stringContaining('1 exchanges in the time asked for, no gaps'),
    ])
    const key = at('audit.log.pub')
    const checked = await run(['verify', at('all.tar'), '--signer-key', key, '--key', key, '--json'])
    expect([checked.exit, JSON.parse(checked.out)]).toEqual([0, expect.objectContaining({ ok: true })])
    await expect(run(['export', ...range, '-o', at('all.tar')])).rejects.toThrow('there already')
    await expect(run(['export', '-o', 'x'])).rejects.toThrow('--log, --from, --to')
    await expect(run(['export', ...range, '--from', 'yesterday', '-o', 'x'])).rejects.toThrow('is no time')

    const keyed = ['decrypt', at('captures.jsonl'), '--auditor-key', at('auditor.key')]
    await expect(run(keyed, { POSTERN_PASSPHRASE: 'wrong' })).rejects.toThrow('cannot be read')
    const all = await run(keyed, { POSTERN_PASSPHRASE: passphrase })
    expect([all.exit, all.out.trimEnd().split('\n').length]).toEqual([0, 2])
    const named = await run([...keyed, '--id', 'x1', '--log', at('audit.log')], {
      POSTERN_PASSPHRASE: passphrase,
    })
    expect(JSON.parse(named.out)).toMatchObject({ text: 'foo', path: '/messages/0/content', line })
    expect([named.exit, named.err]).toEqual([1, expect.stringContaining('its record does not name')])
    expect(readFileSync(at('all.tar')).includes('"text":"foo"')).toBe(false)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
