import type { TestGuard } from '../../proxy/test/start.ts'

export const PASSWORD = 'for the demo only'

/** Somebody signs in at the page for people and says of the newest refusal for content that it was wrong, of the one before that it was right. */
export const feedbackOf = (guard: TestGuard): (() => Promise<void>) => {
  let cookie: string | undefined
  const post = (path: string, form: Record<string, string>): Promise<Response> =>
    fetch(`${guard.adminUrl}${path}`, {
      method: 'POST',
      redirect: 'manual',
      headers: { ...(cookie !== undefined && { cookie }) },
      body: new URLSearchParams(form),
    })
  return async () => {
    if (cookie === undefined) {
      const answer = await post('/ui/login', { password: PASSWORD, next: '/ui' })
      cookie = answer.headers.getSetCookie()[0]?.split(';', 1)[0]
    }
    const refused = (await guard.records()).filter(
      ({ type, outcome, findings }) => type === 'exchange' && outcome === 'refused' && findings.length > 0,
    )
    for (const [at, { id, findings }] of refused.slice(-2).entries()) {
      const verdict = at === 0 ? 'right' : 'wrong'
      const answer = await post(`/ui/decisions/${id}/judge`, { rule: findings[0]?.rule ?? '', verdict })
      if (answer.status !== 303) throw new Error(`the page says ${answer.status}: ${await answer.text()}`)
    }
  }
}
