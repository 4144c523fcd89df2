import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { chat, events, SECRET, startAttacked, type Attacked } from './hostile.ts'

let guard: Attacked
beforeAll(async () => {
  guard = await startAttacked()
})
afterAll(() => guard.close())

const END = '[DONE]'
const [A, B, C] = [SECRET.slice(0, 6), SECRET.slice(6, 13), SECRET.slice(13)]
const base64 = Buffer.from(`your key is ${SECRET}, keep it`).toString('base64')

/** How a model may write a key that it was asked to hide in a program. */
const ways: readonly (readonly [what: string, said: string])[] = [
  ['literals that are added', `key = "${A}" + "${B}" + "${C}"\nprint(key)`],
  ['literals side by side', `key = ("${A}"\n       '${B}' "${C}")\nprint(key)`],
  ['variables', `const a = "${A}";\nconst b = "${B}";\nconst c = "${C}";\nlog(a + b + c)`],
  ['a template', `log(\`${A}\${"${B}"}\${'${C}'}\`)`],
  ['an f-string', `print(f"${A}{'${B}'}{'${C}'}")`],
  ['base64 in short pieces', `atob("${base64.replaceAll(/.{10}/g, '$&" + "')}")`],
  [
    'escapes in literals',
    `"${A}" + "\\x${Buffer.from(B)
      .toString('hex')
      .replaceAll(/..(?=.)/g, '$&\\x')}" + "${C}"`,
  ],
]

/** What is left of a text when all that a program needs is taken out. */
const bare = (text: string): string => text.replaceAll(/[^A-Z0-9]/g, '')

const saidIn = (body: string, choice: number): string =>
  body
    .split('\n')
    .filter((line) => line.startsWith('data: {'))
    .flatMap((line) => {
      const { choices = [] } = JSON.parse(line.slice(6)) as {
        readonly choices?: readonly {
          readonly index: number
          readonly delta?: { readonly content?: string }
        }[]
      }
      return choices.filter(({ index }) => index === choice).map(({ delta }) => delta?.content ?? '')
    })
    .join('')

const pieces = (text: string, size: number): readonly string[] =>
  Array.from({ length: Math.ceil(text.length / size) }, (_, at) => text.slice(at * size, (at + 1) * size))

const delta = (content: string, index = 0): object => ({ choices: [{ index, delta: { content } }] })

describe('a key that a program puts together does not get out of a stream', () => {
  test.each(ways)('%s', async (_what, said) => {
    for (const size of [1, 2, 5, 1000]) {
      guard.behave(events(...pieces(`Here: ${said}\nDone.`, size).map((piece) => delta(piece)), END))
      const answer = await guard.post(chat({ stream: true }))
      const out = saidIn(await answer.text(), 0)
      expect(out).toMatch(/^Here: /)
      expect(bare(out)).not.toContain(bare(SECRET).slice(0, 10))
      expect(out).not.toContain(base64.slice(16, 26))
    }
  })

  test('nor when two choices take turns with it', async () => {
    const said = `key = "${A}" + "${B}" + "${C}"\n`
    const turns = pieces(said, 3).flatMap((piece) => [delta(piece, 0), delta(piece, 1)])
    guard.behave(events(...turns, END))
    const answer = await guard.post(chat({ stream: true, n: 2 }))
    const body = await answer.text()
    for (const choice of [0, 1]) expect(bare(saidIn(body, choice))).not.toContain(bare(SECRET).slice(0, 10))
  })
})

test('a program without a key leaves as it was written', async () => {
  const said = 'const a = "red" + "green"\nconst b = [`x${a}`, \'it\', {"k": "v"}]\nprint(f"{a}{\'b\'}")\n'
  for (const size of [1, 4]) {
    guard.behave(events(...pieces(said, size).map((piece) => delta(piece)), END))
    const answer = await guard.post(chat({ stream: true }))
    expect(saidIn(await answer.text(), 0)).toBe(said)
  }
})
