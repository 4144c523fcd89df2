import type { AnswerFacts, ExchangeFacts } from '../../core/behaviour.ts'

/** An ordinary exchange, with what is to be different. */
export const exchange = (
  more: Partial<ExchangeFacts> = {},
  answer: Partial<AnswerFacts> = {},
): ExchangeFacts => ({
  at: 0,
  model: 'small',
  tenant: 'acme',
  caller: 'ann',
  roles: ['user'],
  scopes: [],
  client: '10.0.0.1',
  outcome: 'allowed',
  rules: [],
  offered: [],
  answer: {
    characters: 200,
    entropy: { tokens: 40, mean: 0.5, max: 2 },
    language: 'en',
    declined: false,
    called: [],
    ...answer,
  },
  ...more,
})
