import type { Rule } from '../core/rule.ts'

const TAG = '\\uDB40[\\uDC00-\\uDC7F]'

/**
 * Emoji flags of subdivisions (UTS 51) are a black flag, three to six tag letters or digits, and the cancel tag. The tags
 * of a flag, or the end of them, are not smuggled text.
 */
const isNotFlag = (found: string): boolean =>
  !/^[\u{E0030}-\u{E0039}\u{E0061}-\u{E007A}]{0,6}\u{E007F}$/u.test(found)

/** Text that a person does not see and a model reads, or that shows otherwise than it is stored. */
export const invisibleRules = {
  // ASCII smuggling: U+E0000 to U+E007F mirror ASCII and show nothing.
  'tag-characters': {
    pattern: `(?:${TAG}){1,}`,
    view: 'raw',
    bounds: 'none',
    check: isNotFlag,
  },
  // Trojan Source (CVE-2021-42574). Marks (U+200E, U+200F, U+061C) only hint and stand in everyday Arabic and Hebrew.
  'bidi-override': {
    pattern: '[\\u202D\\u202E]',
    view: 'raw',
    bounds: 'none',
    score: 0.9,
  },
  'bidi-embedding': {
    pattern: '[\\u202A\\u202B\\u2066-\\u2068]',
    view: 'raw',
    bounds: 'none',
    score: 0.5,
  },
  // A joiner that stands alone is orthography (Persian, Indic, emoji); two in a row, or a zero width space run, are not.
  'zero-width-run': {
    pattern: '[\\u200B-\\u200D\\u2060\\uFEFF\\u180E]{3,}',
    view: 'raw',
    bounds: 'none',
    score: 0.9,
  },
  // Letters of ASCII pulled apart: no script that uses joiners is written in them.
  'zero-width-in-word': {
    pattern:
      '[A-Za-z][\\u200B-\\u200D\\u2060-\\u2064\\uFEFF\\u00AD][A-Za-z][\\u200B-\\u200D\\u2060-\\u2064\\uFEFF\\u00AD][A-Za-z]',
    view: 'raw',
    bounds: 'none',
    score: 0.8,
  },
  'invisible-operators': {
    pattern: '[\\u2061-\\u2064\\u206A-\\u206F]{2,}',
    view: 'raw',
    bounds: 'none',
    score: 0.8,
  },
  'invisible-filler': {
    pattern: '[\\u115F\\u1160\\u3164\\uFFA0\\u17B4\\u17B5\\u034F]{2,}',
    view: 'raw',
    bounds: 'none',
    score: 0.8,
  },
  // Bytes as selectors after one visible character: 16 in the basic plane, 240 in the supplement.
  'variation-selector-run': {
    pattern: '(?:[\\uFE00-\\uFE0F]|\\uDB40[\\uDD00-\\uDDEF]){2,}',
    view: 'raw',
    bounds: 'none',
  },
  'private-use-run': {
    pattern: '(?:[\\uE000-\\uF8FF]|[\\uDB80-\\uDBFF][\\uDC00-\\uDFFF]){4,}',
    view: 'raw',
    bounds: 'none',
    score: 0.6,
  },
  'stacked-combining-marks': {
    pattern:
      '[\\u0300-\\u036F\\u0483-\\u0489\\u1AB0-\\u1AFF\\u1DC0-\\u1DFF\\u20D0-\\u20FF\\uFE20-\\uFE2F]{5,}',
    view: 'raw',
    bounds: 'none',
    score: 0.7,
  },
  noncharacter: { pattern: '[\\uFDD0-\\uFDEF\\uFFFE\\uFFFF]', view: 'raw', bounds: 'none', score: 0.6 },
  'control-characters': {
    pattern: '[\\x00-\\x08\\x0B\\x0E-\\x1A\\x1C-\\x1F\\x7F]{2,}',
    view: 'raw',
    bounds: 'none',
    score: 0.5,
  },
} as const satisfies Record<string, Rule>
