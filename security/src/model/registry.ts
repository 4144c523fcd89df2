/** A version of a model, as every registry keeps it. */
export interface Version {
  readonly version: string
  /** Where its files are: a path or an address. */
  readonly source: string
  /** What the model server calls it; the name of the model when empty. */
  readonly servesAs: string
  /** SHA-256 of the signed files in hex; empty when it was registered without a signature. */
  readonly digest: string
  /** Who signed, when the signature was verified, as `Signed.signer` of signature.ts; empty for none. */
  readonly signer: string
}

export interface Change {
  /** RFC 3339, UTC. */
  readonly at: string
  readonly alias: string
  readonly version: string
  /** What the alias named before; empty when it was new. */
  readonly previous: string
  readonly by: string
}

export interface Model {
  readonly name: string
  readonly versions: readonly Version[]
  readonly aliases: Readonly<Record<string, string>>
  /** Oldest first. */
  readonly history: readonly Change[]
}

/** Where models, their versions and aliases are kept. Every method throws an Error that says what to do. */
export interface Registry {
  models(): Promise<readonly Model[]>
  /** Undefined when there is none of the name. */
  model(name: string): Promise<Model | undefined>
  /** Adds the version, and the model when it is new. The result is the version's name, which a registry may choose itself. */
  add(name: string, version: Version): Promise<string>
  /** Lets the alias name the version. */
  point(name: string, change: Change): Promise<void>
}

/** Names of models, versions and aliases: the same everywhere, because they become configuration and records. */
export const isName = (name: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/.test(name)

/** History is for rollback and for people; older changes are in the registry's own log. */
export const MAX_HISTORY = 20

export const keepLast = (history: readonly Change[]): readonly Change[] => history.slice(-MAX_HISTORY)
