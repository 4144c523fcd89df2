import type { Finding } from '../finding.ts'
import type { Setting } from '../settings.ts'
import { textOf } from '../value.ts'

const NAMES = [
  'model',
  'model_name',
  'modelName',
  'model_id',
  'modelId',
  'llm',
  'repo_id',
  'base_model',
  'model_path',
]
/** Aliases that their vendors move to newer weights; the dated names beside them stay. */
const MOVING =
  /^(?:(?:openai|anthropic|azure|google|mistral|models)[/:])?(?:chat:|messages:)?(?:gpt-4o|gpt-4o-mini|gpt-4|gpt-4-turbo|gpt-3\.5-turbo|gpt-4\.1|gpt-4\.1-mini|gpt-4\.1-nano|o1|o3|o3-mini|o4-mini|gpt-5|gpt-5-mini|gpt-5-nano|mistral-(?:large|medium|small)|gemini-(?:pro|flash)|claude-(?:opus|sonnet|haiku)-4-\d)$/

/** Model names that say latest, and vendors' aliases. Names from variables are not judged. */
export const checkModels = (settings: readonly Setting[]): readonly Finding[] => {
  const seen = new Set<string>()
  return settings.flatMap(({ name, value, start, end }): readonly Finding[] => {
    if (!NAMES.includes(name) || value.kind !== 'string') return []
    const model = textOf(value).slice(0, 120)
    const isLatest = /(?:[:@-]|^)latest$/.test(model)
    if ((!isLatest && !MOVING.test(model)) || seen.has(model)) return []
    seen.add(model)
    const message = isLatest
      ? `${model} is whatever was published last.`
      : `${model} is an alias that its vendor moves.`
    return [{ rule: 'unpinned-model', ...(isLatest ? {} : { level: 'note' as const }), message, start, end }]
  })
}

/** `from_pretrained("owner/name")` without `revision`. Paths of local folders are the program's own. */
export const checkRevisions = (
  loads: readonly {
    readonly name: string
    readonly hasRevision: boolean
    readonly start: number
    readonly end: number
  }[],
): readonly Finding[] =>
  loads
    .filter(({ name, hasRevision }) => !hasRevision && /^[A-Za-z0-9][\w.-]{0,95}\/[\w.-]{1,96}$/.test(name))
    .map(({ name, start, end }) => ({
      rule: 'unpinned-model',
      message: `${name} is loaded without a revision.`,
      start,
      end,
    }))
