/**
 * All of a body in one buffer; undefined when it is larger than `maxBytes`: then the rest is not read, and a stream is destroyed.
 * Rejects with the body's own error when it fails before its end. Time is the caller's to bound.
 */
export const readBounded = async (
  body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes: number,
): Promise<Buffer | undefined> => {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of body) {
    length += chunk.length
    if (length > maxBytes) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
