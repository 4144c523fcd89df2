import { expect, test } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ownFolder } from '../support/folders.ts'

test('folders of a run that was killed go at the next start; those of one that runs, and of others, stay', async () => {
  const at = mkdtempSync(join(tmpdir(), 'postern-folders-'))
  const killed = spawn(process.execPath, ['--eval', 'setInterval(() => {}, 1000)'])
  const folder = join(at, `postern-e2e-run-${killed.pid}-api-x`)
  mkdirSync(join(folder, 'log'), { recursive: true })
  mkdirSync(join(at, 'postern-e2e-evidence'))
  const mine = ownFolder('api', at)
  expect(existsSync(folder)).toBe(true)
  killed.kill('SIGKILL')
  await once(killed, 'exit')
  ownFolder('controller', at)
  expect([folder, mine, join(at, 'postern-e2e-evidence')].map((path) => existsSync(path))).toEqual([
    false,
    true,
    true,
  ])
  rmSync(at, { recursive: true })
})
