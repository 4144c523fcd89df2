import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog'
import {
  BigValueColorMode,
  BigValueGraphMode,
  GraphGradientMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TableCellDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
  SortOrder,
  TooltipDisplayMode,
  VisibilityMode,
} from '@grafana/grafana-foundation-sdk/common'
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type Panel as GrafanaPanel,
  type Threshold,
  type ValueMap,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as HeatmapBuilder, YAxisConfigBuilder } from '@grafana/grafana-foundation-sdk/heatmap'
import { PanelBuilder as LogsBuilder } from '@grafana/grafana-foundation-sdk/logs'
import { DataqueryBuilder as LokiQuery } from '@grafana/grafana-foundation-sdk/loki'
import {
  DataqueryBuilder as PrometheusQuery,
  PromQueryFormat,
} from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as HistoryBuilder } from '@grafana/grafana-foundation-sdk/statushistory'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as SeriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import type { Board, Panel, Query } from './board.ts'

const PROMETHEUS = { type: 'prometheus', uid: '${datasource}' }
const LOKI = { type: 'loki', uid: '${logs}' }
const HEIGHT = { stat: 4, series: 8, stack: 8, heat: 8, table: 8, matrix: 10, logs: 10, history: 8 } as const

/** Grafana's classic JSON of a board. */
export const dashboardOf = (board: Board): Dashboard => {
  const builder = new DashboardBuilder(`Postern / ${board.title}`)
    .uid(board.uid)
    .description(board.says)
    .tags(['postern'])
    .time({ from: 'now-6h', to: 'now' })
    .refresh('30s')
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .readonly()
    .link(
      new DashboardLinkBuilder('Postern')
        .type(DashboardLinkType.Dashboards)
        .tags(['postern'])
        .asDropdown(true)
        .includeVars(true)
        .keepTime(true),
    )
    .annotation(
      new AnnotationQueryBuilder()
        .name('Alerts')
        .datasource(PROMETHEUS)
        .enable(true)
        .iconColor('red')
        .expr('ALERTS{alertname=~"Postern.*",alertstate="firing"}')
        .titleFormat('{{alertname}}')
        .step('60s'),
    )
  for (const variable of variablesOf(board)) builder.withVariable(variable)
  for (const row of board.rows) {
    builder.withRow(new RowBuilder(row.title))
    for (const panel of row.panels) builder.withPanel(panelOf(panel))
  }
  return builder.build()
}

const variablesOf = (board: Board) => {
  const usesLoki = board.rows.some(({ panels }) =>
    panels.some(({ queries }) => queries.some(({ from }) => from === 'loki')),
  )
  const choice = (name: string, label: string, values: string) =>
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(PROMETHEUS)
      .query(values)
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.AlphabeticalAsc)
      .multi(true)
      .includeAll(true)
      // Matches series without the label too: a scrape outside Kubernetes sets none.
      .allValue('.*')
      .current({ selected: true, text: 'All', value: '$__all' })
  return [
    new DatasourceVariableBuilder('datasource').label('Metrics').type('prometheus'),
    ...(usesLoki ? [new DatasourceVariableBuilder('logs').label('Logs').type('loki')] : []),
    choice('namespace', 'Namespace', 'label_values(postern_ready, namespace)'),
    choice('instance', 'Guard', 'label_values(postern_ready{namespace=~"$namespace"}, instance)'),
    ...(board.choices ?? []).map(({ name, label, values }) => choice(name, label, values)),
    ...(board.numbers ?? []).map(({ name, label, preset }) =>
      new TextBoxVariableBuilder(name).label(label).defaultValue(preset),
    ),
  ]
}

const panelOf = (panel: Panel): Builder<GrafanaPanel> => {
  const targets = panel.queries.map((query, at) => targetOf(panel, query, String.fromCharCode(65 + at)))
  const builder = builderOf(panel)
    .title(panel.title)
    .description(panel.says)
    .datasource(panel.queries[0]?.from === 'loki' ? LOKI : PROMETHEUS)
    .span(panel.width)
    .links((panel.more ?? []).map(linkTo))
    .height(HEIGHT[panel.kind])
    .targets(targets)
  if (panel.kind === 'logs') return builder
  builder.unit(panel.unit)
  if (panel.bands) builder.thresholds(thresholdsOf(panel.bands))
  if (panel.words) builder.mappings([wordsOf(panel.words)])
  return builder
}

/** With what the viewer chose: variables and time. */
const linkTo = (uid: Board['uid']): DashboardLinkBuilder =>
  new DashboardLinkBuilder(uid.replace('postern-', ''))
    .type(DashboardLinkType.Link)
    .url(`/d/${uid}?\${__all_variables}&\${__url_time_range}`)

const builderOf = (panel: Panel) => {
  switch (panel.kind) {
    case 'stat':
      return new StatBuilder()
        .colorMode(BigValueColorMode.Value)
        .graphMode(BigValueGraphMode.Area)
        .reduceOptions(new ReduceDataOptionsBuilder().calcs(['lastNotNull']))
    case 'heat':
      return new HeatmapBuilder()
        .calculate(false)
        .yAxis(new YAxisConfigBuilder().unit(panel.unit))
        .showLegend()
    case 'table':
      return new TableBuilder()
    case 'matrix':
      return matrix(panel)
    case 'history':
      return new HistoryBuilder().colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Thresholds))
    case 'logs':
      return new LogsBuilder().showTime(true).wrapLogMessage(true).prettifyLogMessage(true)
    case 'stack':
      return lines().fillOpacity(40).stacking(new StackingConfigBuilder().mode(StackingMode.Normal))
    case 'series':
      return lines().fillOpacity(8)
  }
}

/** A table of which Grafana turns one label into columns, each cell coloured by its value. */
const matrix = ({ axes, title }: Panel): TableBuilder => {
  if (axes === undefined) throw new Error(`${title}: a matrix needs axes`)
  return new TableBuilder()
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.ContinuousBlYlRd))
    .cellOptions({ type: TableCellDisplayMode.ColorBackground })
    .transformations([
      { id: 'labelsToFields', options: { mode: 'columns' } },
      { id: 'merge', options: {} },
      {
        id: 'groupingToMatrix',
        options: {
          rowField: axes.row,
          columnField: axes.column,
          valueField: axes.value,
          emptyValue: 'zero',
        },
      },
    ])
}

const lines = (): SeriesBuilder =>
  new SeriesBuilder()
    .min(0)
    .lineWidth(1)
    .gradientMode(GraphGradientMode.None)
    .showPoints(VisibilityMode.Never)
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi).sort(SortOrder.Descending))
    .legend(
      new VizLegendOptionsBuilder()
        .displayMode(LegendDisplayMode.List)
        .placement(LegendPlacement.Bottom)
        .showLegend(true),
    )

const isInstant = ({ kind }: Panel): boolean => kind === 'table' || kind === 'matrix'

const targetOf = (panel: Panel, query: Query, refId: string): Builder<Dataquery> => {
  if (query.from === 'loki') {
    const target = new LokiQuery().refId(refId).expr(query.expr).legendFormat(query.legend).datasource(LOKI)
    return isInstant(panel)
      ? target.queryType('instant').instant(true)
      : target.queryType('range').range(true)
  }
  const target = new PrometheusQuery()
    .refId(refId)
    .expr(query.expr)
    .legendFormat(query.legend)
    .datasource(PROMETHEUS)
  if (isInstant(panel)) return target.instant().format(PromQueryFormat.Table)
  if (panel.kind === 'heat') return target.range().format(PromQueryFormat.Heatmap)
  // Dots over the lines, each of which leads to a trace. Only buckets have them.
  if (panel.kind === 'series' && query.expr.includes('_bucket{')) target.exemplar(true)
  return target.range()
}

const thresholdsOf = ({ orange, red, lowIsBad }: NonNullable<Panel['bands']>): ThresholdsConfigBuilder => {
  const steps: Threshold[] = [{ value: null, color: lowIsBad ? 'red' : 'green' }]
  if (orange !== undefined) steps.push({ value: orange, color: 'orange' })
  if (red !== undefined) steps.push({ value: red, color: lowIsBad ? 'green' : 'red' })
  return new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps)
}

const wordsOf = (words: Readonly<Record<number, string>>): ValueMap => ({
  type: MappingType.ValueToText,
  options: Object.fromEntries(Object.entries(words).map(([value, text], index) => [value, { text, index }])),
})
