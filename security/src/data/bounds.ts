/** What fits in memory. */
export const MAX_ROWS = 200_000
/** In the vectors of a source, in all. */
export const MAX_NUMBERS = 50_000_000
export const MAX_DIMENSIONS = 4096
