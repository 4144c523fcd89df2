import { writeSync } from 'node:fs'
import { open, readFile, rename, type FileHandle } from 'node:fs/promises'
import type { Link } from './chain.ts'
import { AuditFault, codeOf } from './fault.ts'
import type { Signer, Verifier } from './keys.ts'

/** Where the log ends, kept beside it: a log that is shorter was cut. */
export interface HeadMarks {
  /** The last line that was made durable before a promise was kept. */
  readonly latest: Link
  /** The last line that was also signed for. */
  readonly signed: Link
}

export interface Head {
  /** Notes the end of the log; signs it when the last signature is older than SIGN_MS, or when `sign` is set. */
  update(link: Link, sign?: boolean): void
  /** Signs the end when the last signature is for an earlier line. */
  settle(): void
  close(): Promise<void>
}

// Two slots that are written in turn: a write that was cut short leaves the other one whole.
const SLOT = 512
const SIGN_MS = 200
const DOMAIN = 'postern audit head 1\n'

/** Makes the file when it is not there, pointing at `link`. In-place writes need no free space afterwards. */
export const openHead = async (path: string, signer: Signer, link: Link): Promise<Head> => {
  const mark = signedMark(link, signer)
  const temporary = `${path}.new`
  const made = await open(temporary, 'w', 0o600)
  try {
    await made.write(slot(link, mark) + slot(link, mark))
    await made.sync()
  } finally {
    await made.close()
  }
  await rename(temporary, path)
  return keeper(await open(path, 'r+'), signer, { link, mark })
}

interface State {
  link: Link
  mark: SignedMark
}

const keeper = (file: FileHandle, signer: Signer, state: State): Head => {
  let signedAt = performance.now()
  let turn = 0
  const update = (link: Link, sign = false): void => {
    const now = performance.now()
    const fresh = sign || now - signedAt >= SIGN_MS
    const mark = fresh ? signedMark(link, signer) : state.mark
    writeAt(file.fd, Buffer.from(slot(link, mark), 'latin1'), (turn ^= 1) * SLOT)
    if (fresh) signedAt = now
    state.link = link
    state.mark = mark
  }
  return {
    update,
    settle: () => {
      if (state.mark.seq !== state.link.seq) update(state.link, true)
    },
    close: () => file.close(),
  }
}

interface SignedMark extends Link {
  readonly key: string
  readonly signature: string
}

const signedMark = ({ seq, hash }: Link, signer: Signer): SignedMark => ({
  seq,
  hash,
  key: signer.keyId,
  signature: signer.sign(`${DOMAIN}${seq} ${hash}`),
})

const slot = ({ seq, hash }: Link, signed: SignedMark): string =>
  `${JSON.stringify({ v: 1, seq, hash, signed }).padEnd(SLOT - 1)}\n`

// Synchronous: half a kilobyte into the page cache costs less than handing it to another thread, and the log's own write, which
// does wait for the disk, has just returned.
const writeAt = (fd: number, bytes: Buffer, position: number): void => {
  if (writeSync(fd, bytes, 0, bytes.length, position) < bytes.length)
    throw new Error('short write to the audit head')
}

/** Undefined when there is none. Throws AuditFault when it is there and no slot of it is whole and signed by a known key. */
export const readHead = async (path: string, verifier: Verifier): Promise<HeadMarks | undefined> => {
  const text = await readFile(path, 'latin1').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const marks = [text.slice(0, SLOT), text.slice(SLOT, 2 * SLOT)].flatMap((part) => marksOf(part, verifier))
  const last = (pick: (marks: HeadMarks) => Link) =>
    marks.map(pick).reduce<Link | undefined>((a, b) => (a === undefined || b.seq > a.seq ? b : a), undefined)
  const [latest, signed] = [last((m) => m.latest), last((m) => m.signed)]
  if (latest === undefined || signed === undefined)
    throw new AuditFault(
      `${path} is damaged or signed by an unknown key: the end of the log cannot be proven.`,
    )
  return { latest: latest.seq > signed.seq ? latest : signed, signed }
}

const marksOf = (text: string, verifier: Verifier): readonly HeadMarks[] => {
  const match = SLOT_TEXT.exec(text)
  if (match === null) return []
  const [, seq, hash = '', signedSeq = '', signedHash = '', key = '', signature = ''] = match
  if (verifier(key, `${DOMAIN}${signedSeq} ${signedHash}`, signature) !== true) return []
  return [{ latest: { seq: Number(seq), hash }, signed: { seq: Number(signedSeq), hash: signedHash } }]
}

const SLOT_TEXT =
  /^\{"v":1,"seq":(\d{1,16}),"hash":"([0-9a-f]{64})","signed":\{"seq":(\d{1,16}),"hash":"([0-9a-f]{64})","key":"([0-9a-f]{16})","signature":"([A-Za-z0-9+/=]{88})"\}\} *\n$/
