/** Members of what a program printed. Everything missing or of another type is absent, never an error of ours. */
export interface Node {
  at(name: string): Node
  text(): string | undefined
  list(): readonly Node[]
  entries(): readonly (readonly [string, Node])[]
  readonly value: unknown
}

export const node = (value: unknown): Node => ({
  value,
  at: (name) => node(isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined),
  text: () => (typeof value === 'string' ? value : undefined),
  list: () => (Array.isArray(value) ? value.map(node) : []),
  entries: () =>
    isRecord(value) ? Object.entries(value).map(([name, each]) => [name, node(each)] as const) : [],
})

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Throws an Error that names the program when it printed no JSON object with the member that every one of its reports has. */
export const report = (json: string, program: string, member: string): Node => {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new Error(`${program} printed no JSON; run it by hand to see why`, { cause })
  }
  if (!isRecord(value) || !Object.hasOwn(value, member))
    throw new Error(`${program} printed a report without ${member}; is it a version that this one knows?`)
  return node(value)
}
