const MAX_ACCEPT = 1024 // characters; Prometheus sends 200

/** Whether an `Accept` header prefers OpenMetrics 1.0 to the Prometheus text format. */
export const wantsOpenMetrics = (accept: string | undefined): boolean => {
  if (accept === undefined || accept.length > MAX_ACCEPT) return false
  let open = 0
  let text = 0
  for (const range of accept.toLowerCase().split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim())
    const version = parameters.find((one) => one.startsWith('version='))?.slice(8)
    if (type === 'application/openmetrics-text' && (version ?? '1.0.0') === '1.0.0')
      open = Math.max(open, weight(parameters))
    if (type === 'text/plain' && (version ?? '0.0.4') === '0.0.4') text = Math.max(text, weight(parameters))
  }
  return open > 0 && open >= text
}

const weight = (parameters: readonly string[]): number => {
  const given = parameters.find((one) => one.startsWith('q='))
  const q = given === undefined ? 1 : Number(given.slice(2))
  return q >= 0 && q <= 1 ? q : 0
}
