/** The longest finding. A run that goes on becomes consecutive findings, so that nothing is held or missed for its length. */
export const LONGEST = 2048

/** How many units a candidate may reach back from where its trigger ends. */
export const LOOKBACK = 128

/** Most units before a finding that are searched for its left neighbour; ignored characters beyond that separate. */
export const NEIGHBOUR = 32

/** Most units of a lead, with what is ignored between its characters. */
export const LEAD = 192

/** How much text before what is being read must be known for every look back. */
export const KEPT = LOOKBACK + NEIGHBOUR + LEAD
