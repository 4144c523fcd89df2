import { expect, test } from '@jest/globals'
import { placeOf } from './places.ts'

test.each([
  ['/messages/1/content', 'message 2'],
  ['/messages/0/content/2/text', 'message 1, part 3'],
  [
    '/messages/3/tool_calls/0/function/arguments#/*',
    'message 4, tool call 1, arguments, a key of the caller’s own',
  ],
  ['/system', 'the system prompt'],
  ['/prompt/1', 'the prompt, part 2'],
  ['/tools/0/function/description', 'tool definition 1, description'],
  ['/choices/0/message/content', 'the answer'],
  ['/choices/1/message/tool_calls/0/function/arguments', 'answer 2, tool call 1, arguments'],
  ['/content/0/text', 'the answer, part 1'],
  ['0/content', 'the answer'],
  ['1/reasoning', 'answer 2, reasoning'],
  ['0/tool/1', 'the answer, tool call 2'],
  ['0/tool/0/*', 'the answer, tool call 1, a key of the caller’s own'],
  ['/user', 'user'],
  ['', ''],
])('%s is %s', (path, words) => {
  expect(placeOf(path)).toBe(words)
})
