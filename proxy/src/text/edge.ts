/** What a character beside a finding means: nothing, no finding, or no finding when a digit stands behind it. */
export const FREE = 0
export const BLOCKING = 1
export const SEPARATING = 2
