/** DER (X.690), as far as certificates need it. */
export const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(parts)
  const size = content.length.toString(16)
  const length = Buffer.from(size.length % 2 === 0 ? size : `0${size}`, 'hex')
  const head = content.length < 0x80 ? Buffer.of(content.length) : Buffer.of(0x80 | length.length, ...length)
  return Buffer.concat([Buffer.of(tag), head, content])
}

export const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts)

export const oid = (id: string): Buffer => {
  const [first = 0, second = 0, ...rest] = id.split('.').map(Number)
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

const base128 = (arc: number): readonly number[] => {
  const digits = [arc & 0x7f]
  for (let left = arc >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80)
  return digits
}

export const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text))
