export interface AnswerCache {
  /** The answer for equal facts; made by `ask` when there is none yet. What `ask` throws is not kept. */
  answer<Answer>(key: string, ask: () => Answer): { readonly answer: Answer; readonly hit: boolean }
}

/** Keys above this are asked every time: they are rare, and few of them would push out everything else. */
const MAX_KEY_CHARS = 4096

/**
 * Answers by the facts they were given for, the least recently used forgotten first. Holds at most `maxEntries` answers
 * and 4096 characters of key for each. One key must always be used with one type of answer.
 */
export const answerCache = (maxEntries: number): AnswerCache => {
  const answers = new Map<string, unknown>()
  return {
    answer<Answer>(key: string, ask: () => Answer) {
      const known = answers.get(key)
      if (known !== undefined) {
        answers.delete(key)
        answers.set(key, known)
        return { answer: known as Answer, hit: true }
      }
      const answer = ask()
      if (maxEntries > 0 && key.length <= MAX_KEY_CHARS) {
        if (answers.size >= maxEntries) answers.delete(answers.keys().next().value ?? '')
        answers.set(key, answer)
      }
      return { answer, hit: false }
    },
  }
}
