/**
 * Letters that readers take for Latin ones, lower case: from the intentional and the most common rows of Unicode UTS 39,
 * Cyrillic, Greek, Armenian, Cherokee, Latin extensions and small capitals. Upper-case forms are lowered before they are looked up,
 * so a capital that looks Latin while its small form does not stands here by its small form.
 */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  a: 'аαɑᴀӕꭺ',
  b: 'вьβƅʙᏏᖯƄ',
  c: 'сϲᴄⅽҫ',
  d: 'ԁɗᴅⅾժđ',
  e: 'еєεҽᴇҿə',
  f: 'ғƒꞙϝք',
  g: 'ɡցɢġԍ',
  h: 'нһհʜη',
  i: 'іιıɩɪӏⅰǀℹ',
  j: 'јϳʝյᴊ',
  k: 'кκқᴋҡ',
  l: 'ⅼʟłƖ',
  m: 'мᴍⅿ',
  n: 'ոпɴռ',
  o: 'оοσօᴏөøѳჿ๐',
  p: 'рρᴘҏþ',
  q: 'ԛգզ',
  r: 'гᴦʀɍ',
  s: 'ѕꜱʂ',
  t: 'тτᴛŧ',
  u: 'υսᴜцʋ',
  v: 'ѵνᴠⅴ',
  w: 'ѡωԝᴡɯա',
  x: 'хχⅹҳ×',
  y: 'уүγʏўყ',
  z: 'ʐᴢzƶζ',
}

const LATIN = new Map(
  Object.entries(LOOK_ALIKES).flatMap(([latin, others]) =>
    Array.from(others, (other) => [other.codePointAt(0) as number, latin.charCodeAt(0)] as const),
  ),
)

/** The Latin letter that a lower-case code point looks like, or the code point itself. */
export const look = (point: number): number => LATIN.get(point) ?? point
