import { describe, expect, test } from '@jest/globals'
import { compileScanner } from './scanner.ts'
import { tables } from './test-rules.ts'

const scanner = compileScanner({ name: 'test', tables })
const found = (text: string, rule: string): readonly string[] =>
  scanner
    .scan(text)
    .filter((finding) => finding.rule === rule)
    .map(({ start, end, evidence }) => `${text.slice(start, end)} ${evidence.join()}`)

describe('a key in pieces', () => {
  const [a, b, c] = ['AKIAIO', 'SFODNN7', 'EXAMPLE']

  test.each([
    `key = "${a}" + "${b}" + "${c}";`,
    `key = '${a}'+'${b}'+'${c}';`,
    `key = "${a}"\n  + "${b}"\n  + "${c}";`,
    `key = \`${a}\` + "${b}" + '${c}';`,
    `key = ("${a}") + ("${b}") + ("${c}")`,
    `key = ("${a}"\n       "${b}"\n       "${c}")`,
    `key = '${a}' '${b}' f'${c}'`,
    `key = r"${a}" u"${b}" L"${c}"`,
    `$key = '${a}' . '${b}' . "${c}";`,
    `key = "${a}" & "${b}" & "${c}"`,
    `key = "${a}" .. "${b}" .. "${c}"`,
    `SELECT '${a}' || '${b}' || '${c}'`,
    `key = "${a}" <> "${b}" ++ "${c}"`,
    `const a = "${a}";\nconst b = "${b}";\nlet c = '${c}'`,
    `a = "${a}"\nb = "${b}"\nc = "${c}"\nprint(a + b + c)`,
    `k = '${a}'; k += '${b}'; k += '${c}';`,
    `$a='${a}';$b='${b}';$c='${c}';`,
    `f"${a}{'${b}'}{'${c}'}"`,
    `\`${a}\${"${b}"}\${'${c}'}\``,
    `{"code": "k = \\"${a}\\" + \\"${b}\\" + \\"${c}\\""}`,
  ])('is found: %s', (text) => {
    expect(found(text, 'access-key')).toHaveLength(1)
  })

  test('is found when each piece is written in escapes, or all of them in base64', () => {
    expect(found(`"${a}" + "\\x53\\x46ODNN7" + "${c}"`, 'access-key')).toHaveLength(1)
    const encoded = Buffer.from(`a key: ${a}${b}${c}, used today`).toString('base64')
    for (const between of ['" + "', "' '", '"\n    "', '" . "'])
      for (const width of [4, 7, 10, 13])
        expect(
          found(`x = "${encoded.replaceAll(new RegExp(`.{${width}}`, 'g'), `$&${between}`)}"`, 'access-key'),
        ).toHaveLength(1)
  })

  test('a finding covers all pieces and what stands between them', () => {
    expect(found(`key = "${a}" + "${b}${c}";`, 'access-key')).toEqual([`${a}" + "${b}${c} decoded:joined`])
  })
})

test('what literals hold that nobody joins is left alone', () => {
  for (const text of [
    'f("AKIAIO", x, "SFODNN7EXAMPLE")',
    '{"a": "AKIAIO", "b": "SFODNN7EXAMPLE"}',
    'if (a === "AKIAIO") return "SFODNN7EXAMPLE"',
    '<a href="AKIAIO" class="SFODNN7EXAMPLE">',
    '"AKIAIO" + x + "SFODNN7EXAMPLE"',
    'He said "AKIAIO." "SFODNN7EXAMPLE," she said.',
  ])
    expect(found(text, 'access-key')).toEqual([])
})

test('numbers of persons are not put together from pieces', () => {
  expect(found('"4111 1111" + " 1111 1111"', 'card')).toEqual([])
})

test('a key that is whole in its literal is not stretched into the next one', () => {
  expect(found('a = "sk-abcdefghijklmnopqrst"\nb = "uvw"', 'long-key')).toEqual(['sk-abcdefghijklmnopqrst '])
})

test('a text of many joins is read in time that grows with its length', () => {
  for (const part of ['" + "', '"a" + ', '"a"\nb = ', "{'a'}", '"a"        ', '${"', '"a";'])
    expect(scanner.scan(part.repeat(200_000 / part.length)).length).toBe(0)
})
