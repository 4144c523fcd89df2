/**
 * Where among the candidates a row of `Program.next` was last reached, and in which step: two candidates of one rule in
 * one state have one future. Only used within a step, so all runs of a program share it.
 */
export interface Marks {
  readonly step: Int32Array
  readonly at: Int32Array
  now: number
}

export const marksOf = (rows: number): Marks => ({
  step: new Int32Array(rows),
  at: new Int32Array(rows),
  now: 0,
})
