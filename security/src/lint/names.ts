import type { Binding } from './bindings.ts'
import type { Program, Range } from './program.ts'
import { entriesRanges } from './members.ts'
import type { Scope, Scopes } from './scopes.ts'

export type NamedValue = Pick<Binding, 'value' | 'how'> & Partial<Pick<Binding, 'scope'>>

/** What a name stands for at one place: values that it is given, or a parameter. */
export type Meaning =
  | { readonly kind: 'values'; readonly values: readonly NamedValue[] }
  | { readonly kind: 'parameter'; readonly scope: Scope; readonly name: string }

export interface Names {
  /** Undefined for names of other files, of the language, and when the file has cost enough already. */
  readonly meaning: (path: string, at: number) => Meaning | undefined
}

/** Bindings looked at in one file; keeps many names times many uses from costing more than the file is long. */
const MOST_STEPS = 2_000_000
/** Values of one name in one place. */
const MOST_VALUES = 40

export const createNames = (program: Program, scopes: Scopes, bindings: readonly Binding[]): Names => {
  const byPath = new Map<string, Binding[]>()
  for (const binding of bindings) {
    const own = byPath.get(binding.path)
    if (own === undefined) byPath.set(binding.path, [binding])
    else own.push(binding)
  }
  let steps = 0
  const bound = (path: string, scope: Scope | undefined, before: number): Meaning | undefined => {
    const all = byPath.get(path) ?? []
    steps += all.length + 1
    const values = all.filter((one) => one.scope === scope && one.value.from <= before)
    return values.length === 0 ? undefined : { kind: 'values', values: values.slice(-MOST_VALUES) }
  }
  const memberOf = (path: string, found: (owner: string) => Meaning | undefined): Meaning | undefined => {
    const dot = path.lastIndexOf('.')
    if (dot < 0) return undefined
    const owner = found(path.slice(0, dot))
    if (owner?.kind !== 'values') return undefined
    const key = path.slice(dot + 1)
    const values = owner.values.flatMap(({ value }): readonly Range[] => entriesRanges(program, value, key))
    return values.length === 0
      ? undefined
      : { kind: 'values', values: values.map((value) => ({ value, how: 'set' })) }
  }
  const meaning = (path: string, at: number): Meaning | undefined => {
    if (steps > MOST_STEPS || path === '') return undefined
    const [root = ''] = path.split('.', 1)
    let before = at
    for (const scope of scopes.around(at)) {
      if (scope.kind === 'class') continue
      const here = (one: string): Meaning | undefined => bound(one, scope, before)
      const found = here(path) ?? memberOf(path, here)
      if (found !== undefined) return found
      if (scope.parameters.some(({ names }) => names.includes(root)))
        return { kind: 'parameter', scope, name: root }
      before = Number.MAX_SAFE_INTEGER
    }
    if (root === 'self' || root === 'this' || root === 'cls') return ofObject(path, at)
    const inFile = (one: string): Meaning | undefined => bound(one, undefined, Number.MAX_SAFE_INTEGER)
    return inFile(path) ?? memberOf(path, inFile)
  }
  /** `self.x`, set in any method or in the class itself. */
  const ofObject = (path: string, at: number): Meaning | undefined => {
    const all = byPath.get(path) ?? []
    steps += all.length + 1
    if (all.length > 0) return { kind: 'values', values: all.slice(-MOST_VALUES) }
    const owner = scopes.around(at).find(({ kind }) => kind === 'class')
    return owner === undefined
      ? undefined
      : bound(`${owner.name}.${path.slice(path.indexOf('.') + 1)}`, undefined, Number.MAX_SAFE_INTEGER)
  }
  return { meaning }
}
