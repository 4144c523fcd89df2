/** Saved objects as Kibana exports them, one JSON a line. Ids never change: an import replaces what it brought before. */
export const savedObjects = (): readonly SavedObject[] => [
  dataView('postern-audit', 'written'),
  dataView('postern-log', 'time'),
  ...searches.map(search),
  ...charts.map(visualization),
  dashboard(),
]

export interface SavedObject {
  readonly type: 'index-pattern' | 'search' | 'visualization' | 'dashboard'
  readonly id: string
  readonly attributes: Readonly<Record<string, unknown>>
  readonly references: readonly { readonly type: string; readonly id: string; readonly name: string }[]
}

/** Kibana moves objects of older versions on by itself, and refuses those of newer ones. */
const VERSION = { coreMigrationVersion: '8.8.0' } as const

const SOURCE = 'kibanaSavedObjectMeta.searchSourceJSON.index'

const sourceOf = (kql: string): string =>
  JSON.stringify({
    indexRefName: SOURCE,
    query: { query: kql, language: 'kuery' },
    filter: [],
  })

const dataView = (id: string, timeFieldName: string): SavedObject => ({
  type: 'index-pattern',
  id,
  ...VERSION,
  attributes: { title: id, name: id, timeFieldName, allowHidden: false },
  references: [],
})

type View = 'postern-audit' | 'postern-log'

interface Search {
  readonly id: string
  readonly title: string
  readonly says: string
  readonly kql: string
  readonly columns: readonly string[]
  readonly view?: View
}

const searches: readonly Search[] = [
  {
    id: 'postern-refused',
    title: 'Postern: refused exchanges',
    says: 'Who was refused what, and why.',
    kql: 'type: exchange and outcome: refused',
    columns: ['id', 'caller.subject', 'caller.tenant', 'client', 'route', 'model', 'reasons'],
  },
  {
    id: 'postern-injection',
    title: 'Postern: injection attempts',
    says: 'Exchanges with a finding of an injection rule, whatever was done.',
    kql: 'type: exchange and findings.category: injection',
    columns: [
      'id',
      'caller.subject',
      'client',
      'findings.rule',
      'findings.score',
      'findings.action',
      'outcome',
    ],
  },
  {
    id: 'postern-leaks',
    title: 'Postern: secrets and answers',
    says: 'Exchanges with findings of secret rules and findings in the answer. Elasticsearch flattens lists: look at the document to see which is which.',
    kql: 'type: exchange and findings.category: secret and findings.direction: response',
    columns: ['id', 'caller.subject', 'model', 'findings.rule', 'findings.action', 'outcome'],
  },
  {
    id: 'postern-broken-log',
    title: 'Postern: what the audit log itself complains of',
    says: 'Lines that say that something is missing, and files removed by retention.',
    kql: 'type: (lost or recovered or retention)',
    columns: ['type', 'seq', 'pod', 'id', 'lost', 'first_seq', 'last_seq'],
  },
  {
    id: 'postern-errors',
    title: 'Postern: errors of guards',
    says: 'The log of guards and the controller, errors only.',
    kql: 'level: (error or fatal)',
    columns: ['namespace', 'pod', 'event', 'cause.name', 'cause.code'],
    view: 'postern-log',
  },
]

const search = ({ id, title, says, kql, columns, view = 'postern-audit' }: Search): SavedObject => ({
  type: 'search',
  id,
  ...VERSION,
  attributes: {
    title,
    description: says,
    columns,
    sort: [[view === 'postern-log' ? 'time' : 'written', 'desc']],
    kibanaSavedObjectMeta: { searchSourceJSON: sourceOf(kql) },
  },
  references: [{ type: 'index-pattern', id: view, name: SOURCE }],
})

interface Chart {
  readonly id: string
  readonly title: string
  readonly kind: 'histogram' | 'table' | 'metric'
  readonly kql: string
  /** Fields whose values are counted; the first splits rows, of a histogram the colours. */
  readonly by: readonly string[]
}

const charts: readonly Chart[] = [
  {
    id: 'postern-outcomes',
    title: 'Exchanges by outcome',
    kind: 'histogram',
    kql: 'type: exchange',
    by: ['outcome'],
  },
  {
    id: 'postern-reasons',
    title: 'Reasons of refusals',
    kind: 'table',
    kql: 'type: exchange and outcome: refused',
    by: ['reasons'],
  },
  {
    id: 'postern-refused-callers',
    title: 'Refused callers and addresses',
    kind: 'table',
    kql: 'type: exchange and outcome: refused',
    by: ['caller.subject', 'client'],
  },
  {
    id: 'postern-rules',
    title: 'Findings by rule',
    kind: 'histogram',
    kql: 'type: exchange and findings.rule: *',
    by: ['findings.rule'],
  },
  {
    id: 'postern-revisions',
    title: 'Policy revisions',
    kind: 'histogram',
    kql: 'type: exchange and policy.revision: *',
    by: ['policy.revision'],
  },
]

const visualization = ({ id, title, kind, kql, by }: Chart): SavedObject => {
  const isOverTime = kind === 'histogram'
  const terms = by.map((field, at) => ({
    id: String(at + 3),
    enabled: true,
    type: 'terms',
    schema: isOverTime ? 'group' : 'bucket',
    params: { field, size: 20, order: 'desc', orderBy: '1' },
  }))
  const aggs = [
    { id: '1', enabled: true, type: 'count', schema: 'metric', params: {} },
    ...(isOverTime
      ? [
          {
            id: '2',
            enabled: true,
            type: 'date_histogram',
            schema: 'segment',
            params: { field: 'written', interval: 'auto', min_doc_count: 1 },
          },
        ]
      : []),
    ...terms,
  ]
  return {
    type: 'visualization',
    id,
    ...VERSION,
    attributes: {
      title: `Postern: ${title}`,
      description: '',
      uiStateJSON: '{}',
      version: 1,
      visState: JSON.stringify({ title, type: kind, aggs, params: {} }),
      kibanaSavedObjectMeta: { searchSourceJSON: sourceOf(kql) },
    },
    references: [{ type: 'index-pattern', id: 'postern-audit', name: SOURCE }],
  }
}

const dashboard = (): SavedObject => {
  const shown = [
    ...charts.map(({ id }) => ({ type: 'visualization', id })),
    ...['postern-injection', 'postern-broken-log'].map((id) => ({ type: 'search', id })),
  ]
  const panels = shown.map(({ type }, at) => ({
    panelIndex: String(at),
    panelRefName: `panel_${at}`,
    type,
    embeddableConfig: {},
    gridData: { i: String(at), x: (at % 2) * 24, y: Math.floor(at / 2) * 14, w: 24, h: 14 },
  }))
  return {
    type: 'dashboard',
    id: 'postern-records',
    ...VERSION,
    attributes: {
      title: 'Postern: records',
      description:
        'What was refused and found, who was refused, and which policy judged. Ids, offsets and hashes, never text.',
      panelsJSON: JSON.stringify(panels),
      optionsJSON: JSON.stringify({ useMargins: true, syncColors: true, hidePanelTitles: false }),
      timeRestore: true,
      timeFrom: 'now-24h',
      timeTo: 'now',
      kibanaSavedObjectMeta: { searchSourceJSON: '{"query":{"query":"","language":"kuery"},"filter":[]}' },
    },
    references: shown.map(({ type, id }, at) => ({ type, id, name: `panel_${at}` })),
  }
}
