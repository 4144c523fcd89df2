/** Ends the injection with a sentence for the owner of the pod. */
export class InjectError extends Error {
  override readonly name = 'InjectError'
}

export const refuse = (sentence: string): never => {
  throw new InjectError(sentence)
}
