import { expect, test } from '@jest/globals'
import { closing } from './opened.ts'

test('what was opened is ended newest first, each once', async () => {
  const ended: string[] = []
  const { name, close } = await closing((opened) => {
    opened.push(() => ended.push('model'))
    opened.push(async () => {
      await Promise.resolve()
      ended.push('guard')
    })
    return Promise.resolve({ name: 'site' })
  })
  expect([name, ...ended]).toEqual(['site'])
  await close()
  await close()
  expect(ended).toEqual(['guard', 'model'])
})

test('a start that fails leaves nothing open', async () => {
  const ended: string[] = []
  const started = closing(async (opened) => {
    opened.push(() => ended.push('model'))
    await Promise.reject(new Error('no guard'))
    return {}
  })
  await expect(started).rejects.toThrow('no guard')
  expect(ended).toEqual(['model'])
})
