import type { Board } from '../dashboards/board.ts'

/** A query as Grafana fills in its variables when everything is chosen and nothing is typed. */
export const filledIn = (expr: string, board: Board): string =>
  (board.numbers ?? [])
    .reduce((text, { name, preset }) => text.replaceAll(`$${name}`, preset), expr)
    .replaceAll('$__rate_interval', '20s')
    .replaceAll('$__interval', '5m')
    .replaceAll('$__range', '5m')
    .replaceAll(/\$(namespace|instance|tool|model)\b/g, '.*')
