/** What fits in memory. */
export const MAX_ROWS = 200_000
/** In the vectors of a source, in all. */
export const MAX_NUMBERS = 50_000_000
export const MAX_DIMENSIONS = 4096
/** Of one record, in characters. */
export const MAX_RECORD = 1 << 20
/** In the texts of a source, in all: some hundred bytes of file may stand for gigabytes. */
export const MAX_CHARACTERS = 1 << 28
/** Bytes of all that is read of a packed file. */
export const MAX_UNPACKED = 2 ** 31
