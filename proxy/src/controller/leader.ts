/**
 * Which replica writes. `leading` is true only while nobody else can have taken over: until the lease that was renewed last could
 * end, measured from before that renewal on this machine's monotonic clock. Ask before every write, not once for a series.
 */
export interface Leader {
  leading(): boolean
  /** Tells each change, and at once when this replica leads already. Returns the way to stop. */
  onChange(listener: (leading: boolean) => void): () => void
}
