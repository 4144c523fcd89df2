/** What a place of a text reads as: its source length, the text it stands for, and the evidence code of its kind. */
export interface Escape {
  readonly length: number
  readonly text: string
  readonly code: 'decoded:percent' | 'decoded:entity' | 'decoded:escape' | 'decoded:tags' | 'decoded:joined'
}
