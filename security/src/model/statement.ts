import { modelDigest, WHOLE, type Manifest, type Resource } from './manifest.ts'

/** OpenSSF Model Signing 1.0. */
const STATEMENT = 'https://in-toto.io/Statement/v1'
const PREDICATE = 'https://model_signing/signature/v1.0'

/** The in-toto statement that is signed. */
export const statementOf = ({ name, resources, ignored }: Manifest): object => ({
  _type: STATEMENT,
  subject: [{ name, digest: { sha256: modelDigest(resources) } }],
  predicateType: PREDICATE,
  predicate: {
    serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ignore_paths: ignored },
    resources: resources.map(({ name: file, digest }) => ({ name: file, algorithm: 'sha256', digest })),
  },
})

/** What a statement says, checked against itself: its subject must be the digest of its resources. Throws an Error that says what is wrong. */
export const manifestIn = (statement: unknown): Manifest => {
  const { _type, subject, predicateType, predicate } = record(statement)
  if (_type !== STATEMENT || predicateType !== PREDICATE)
    throw new Error('the statement is not about a model')
  const { serialization, resources: listed } = record(predicate)
  const { method, hash_type, ignore_paths: ignored = [] } = record(serialization)
  if (method !== 'files' || hash_type !== 'sha256')
    throw new Error(
      'the statement counts files in another way than SHA-256 of each; sign with the method files',
    )
  const [only, ...more] = array(subject).map(record)
  if (only === undefined || more.length > 0) throw new Error('the statement must have one subject')
  const resources = array(listed).map(resourceOf)
  if (resources.length > 1 && resources.some((each) => each.name === WHOLE)) throw outside()
  if (new Set(resources.map(({ name }) => name)).size !== resources.length)
    throw new Error('the statement names a file twice')
  if (record(only['digest'])['sha256'] !== modelDigest(resources))
    throw new Error('the statement contradicts itself: its digest is not that of its files')
  return { name: text(only['name']), resources, ignored: array(ignored).map(text) }
}

const resourceOf = (value: unknown): Resource => {
  const { name, algorithm, digest } = record(value)
  if (algorithm !== 'sha256' || !/^[0-9a-f]{64}$/.test(text(digest)))
    throw new Error('the statement has a file without a SHA-256')
  return { name: insideModel(text(name)), digest: text(digest) }
}

/** Every step of the path has a name, so that it cannot lead out of the model. */
const insideModel = (path: string): string => {
  const leads = path.split('/').some((step) => ['', '.', '..'].includes(step))
  if ((leads && path !== WHOLE) || path.includes('\0')) throw outside()
  return path
}

const outside = (): Error => new Error('the statement names a file outside of the model')

const record = (value: unknown): Record<string, unknown> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('the statement is malformed')
  return value as Record<string, unknown>
}

const array = (value: unknown): readonly unknown[] => {
  if (!Array.isArray(value)) throw new Error('the statement is malformed')
  return value as readonly unknown[]
}

const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new Error('the statement is malformed')
  return value
}
