import { defaultScanner } from '../../../proxy/src/compose/scanner.ts'
import { dataValues } from '../lint/data-values.ts'
import type { Span } from '../lint/finding.ts'
import { frontMatterEnd } from '../lint/text-prompts.ts'
import { entryOf, textOf, type Value } from '../lint/value.ts'
import type { cardRules } from './rules.ts'

export interface CardFinding extends Span {
  readonly rule: keyof typeof cardRules
  readonly message: string
}

/** What one model card lacks. Broken metadata is a finding, not an error. */
export const checkCard = (text: string): readonly CardFinding[] => {
  const front = frontMatterEnd(text)
  const top = { start: 0, end: Math.min(3, text.length) }
  const meta = metadata(text, front)
  if (typeof meta === 'string')
    return [
      { rule: 'card-front-matter', message: meta, ...top },
      ...checkMetadata(undefined, text.slice(front), top),
      ...checkBody(text, front),
    ]
  return [...checkMetadata(meta, text.slice(front), top), ...checkModelIndex(meta), ...checkBody(text, front)]
}

const metadata = (text: string, front: number): Value | string => {
  if (front === 0) return 'The file does not begin with metadata.'
  try {
    const close = text.lastIndexOf('\n---', front - 2)
    // Blank instead of the first marker, so that places stay those of the file.
    const [root] = dataValues(`   ${text.slice(3, close < 4 ? front : close)}`)
    return root?.kind === 'object' ? root : 'The metadata is not a mapping.'
  } catch (error) {
    return `The metadata is not YAML: ${error instanceof Error ? error.message.slice(0, 120) : 'unknown'}.`
  }
}

const isEmpty = (value: Value | undefined): boolean =>
  value === undefined ||
  (value.kind === 'list'
    ? value.items().length === 0
    : value.kind !== 'object' && ['', 'null', '~', '[]'].includes(textOf(value).trim()))

/** Without metadata the text is asked. */
const checkMetadata = (meta: Value | undefined, body: string, top: Span): readonly CardFinding[] => {
  const absent = (key: string): boolean => isEmpty(entryOf(meta, key)?.value)
  const license = textOf(entryOf(meta, 'license')?.value)
  const says = (pattern: RegExp): boolean => pattern.test(body.slice(0, 200_000))
  const rows: readonly (CardFinding | false)[] = [
    absent('license') &&
      !(meta === undefined && says(/licen[cs]e/i)) && {
        rule: 'card-license',
        message: 'license is not set.',
        ...top,
      },
    license === 'other' &&
      (absent('license_name') || absent('license_link')) && {
        rule: 'card-license',
        message: 'license is other without license_name and license_link.',
        ...top,
      },
    absent('base_model') &&
      !says(/from scratch|pre-?trained (?:by|on)|base model/i) && {
        rule: 'card-base-model',
        message: 'base_model is not set.',
        ...top,
      },
    absent('datasets') &&
      !hasSection(body, /training data|datasets?|data\b/i) && {
        rule: 'card-datasets',
        message: 'datasets is not set and no section describes the data.',
        ...top,
      },
    absent('language') &&
      !(meta === undefined && says(/languages?\b|english|multilingual/i)) && {
        rule: 'card-language',
        message: 'language is not set.',
        ...top,
      },
    absent('model-index') &&
      absent('metrics') &&
      !hasSection(body, /evaluation|results|benchmark|performance|metrics/i) && {
        rule: 'card-metrics',
        message: 'No metrics, model-index or section on evaluation.',
        ...top,
      },
    absent('co2_eq_emissions') &&
      !says(/\bco2|carbon|energy|gpu[ -]hours|flops?\b|compute\b/i) && {
        rule: 'card-compute',
        message: 'Neither compute nor energy is mentioned.',
        ...top,
      },
  ]
  return rows.filter((row) => row !== false)
}

const checkModelIndex = (meta: Value): readonly CardFinding[] => {
  const entry = entryOf(meta, 'model-index')
  if (entry === undefined) return []
  const bad = (message: string): readonly CardFinding[] => [
    { rule: 'card-model-index', message, start: entry.start, end: entry.start + 11 },
  ]
  if (entry.value.kind !== 'list') return bad('It is not a list.')
  for (const model of entry.value.items()) {
    const results = entryOf(model, 'results')?.value
    if (isEmpty(entryOf(model, 'name')?.value) || results?.kind !== 'list')
      return bad('An entry lacks name or results.')
    for (const result of results.items()) {
      const task = entryOf(entryOf(result, 'task')?.value, 'type')
      const metrics = entryOf(result, 'metrics')?.value
      if (task === undefined || entryOf(entryOf(result, 'dataset')?.value, 'name') === undefined)
        return bad('A result lacks task.type or dataset.name.')
      if (
        metrics?.kind !== 'list' ||
        metrics
          .items()
          .some((one) => entryOf(one, 'type') === undefined || entryOf(one, 'value') === undefined)
      )
        return bad('A result lacks metrics with type and value.')
    }
  }
  return []
}

/** A heading, or a bold line that stands for one. */
const hasSection = (body: string, title: RegExp): boolean =>
  body
    .split('\n')
    .some((line) => line.length < 200 && /^(?:#{1,6}|\*\*|[-*] \*\*)/.test(line.trim()) && title.test(line))

const checkBody = (text: string, front: number): readonly CardFinding[] => {
  const body = text.slice(front)
  const top = { start: front, end: Math.min(front + 1, text.length) }
  const lacks = (rule: CardFinding['rule'], title: RegExp, message: string): readonly CardFinding[] =>
    hasSection(body, title) ? [] : [{ rule, message, ...top }]
  const found = (
    rule: CardFinding['rule'],
    words: readonly string[],
    message: string,
  ): readonly CardFinding[] =>
    words
      .flatMap((word) => {
        const at = text.indexOf(word, front)
        return at < 0 ? [] : [{ rule, message, start: at, end: at + word.length }]
      })
      .slice(0, 1)
  return [
    ...lacks(
      'card-intended-use',
      /intended use|uses?\b|usage|use cases?|applications?|how to use/i,
      'No section on intended use.',
    ),
    ...lacks(
      'card-limits',
      /limit|bias|risk|out[- ]of[- ]scope|caveat|ethic|safety|responsib/i,
      'No section on limits, bias or risks.',
    ),
    ...lacks('card-training', /train|fine-?tun|procedure|architecture/i, 'No section on training.'),
    ...(/contact|@|issues|discussions|feedback|questions|report a|report an/i.test(body)
      ? []
      : [{ rule: 'card-contact' as const, message: 'No contact is given.', ...top }]),
    ...found(
      'card-placeholder',
      ['[More Information Needed]', '[optional]', 'TBD', 'lorem ipsum'],
      'Template text is left.',
    ),
    ...found('card-remote-code', ['trust_remote_code=True'], 'An example sets trust_remote_code=True.'),
    ...found(
      'card-pickle',
      ['pickle.load', 'joblib.load', 'pytorch_model.bin', '.pkl'],
      'An example loads pickled weights.',
    ),
    ...defaultScanner()
      .scan(text.slice(0, 1 << 20))
      .filter(({ category, score }) => category === 'secret' && score >= 0.5)
      .map(({ rule, start, end }) => ({
        rule: 'card-secret' as const,
        message: `It looks like a credential (${rule}).`,
        start,
        end,
      })),
  ]
}
