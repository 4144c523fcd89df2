import type { Rule } from '../core/rule.ts'

const folded = { view: 'folded', score: 0.8 } as const

/** Up to six words between the verb and how often. */
const SOME = '(?:[a-zà-ÿа-яё0-9]{1,} ){1,6}'
const NUMBER = '(?:[0-9]{4,9}|[0-9]{1,3} [0-9]{3})'

/** Whoever asks for a program that repeats something is not asking the model to do it. */
const WORDS_OF_PROGRAMS =
  /\b(?:loops?|program|code|function|script|simulat|python|java|bash|sql|method|class|test|experiment|schleife|boucle|bucle|laço|цикл)/

const isForTheModel = (found: string): boolean => !WORDS_OF_PROGRAMS.test(found.toLowerCase())

const order = (pattern: string): Rule => ({ ...folded, pattern, check: isForTheModel })

/** Orders to say one thing thousands of times, which spend tokens and make some models spill what they were trained on. */
export const floodRules = {
  'repeat-order': order(
    `(?:repeat|say|write|print|output|type|echo|recite|chant|copy|spell|produce|generate|emit) ${SOME}(?:${NUMBER}|(?:[a-z]{2,9} ){0,2}(?:thousands?|millions?|billions?|trillions?)(?: of)?|countless|infinite|endless) times`,
  ),
  'repeat-order-endless': order(
    'repeat (?:(?:the|this|that|these|following|single|only|just|exact) ){0,}(?:words?|letters?|phrase|sentence|string|line|token|characters?|emoji|syllable|text) (?:[a-z0-9]{1,} ){0,8}(?:forever|endlessly|infinitely|indefinitely|continuously|over and over|without (?:ever )?stopping|until you (?:run out|reach|hit|can)|as (?:many times|often) as (?:you can|possible))',
  ),
  'repeat-order-german': order(
    `(?:wiederhole|wiederholen|schreibe?|sage|sag|drucke|gib|kopiere|tippe) ${SOME}(?:(?:${NUMBER}|(?:[a-zäöüß]{3,10} ){0,1}(?:tausend|millionen|milliarden)) mal|[a-zäöüß]{0,14}(?:tausend|million|millionen)mal|endlos|unendlich oft)`,
  ),
  'repeat-order-romance': order(
    `(?:r[eé]p[eè]te[rz]?|[eé]cri[st]|[eé]crivez|affiche[rz]?|imprime[rz]?|repite|repita|repete|repetir|escribe|escriba|escreva|escreve|diga|imprima|copie|copia) ${SOME}(?:${NUMBER}|(?:[a-z]{2,8} ){0,2}(?:mille|mil|millones de|milh[oõ]es de|millions? de|mill[oó]n de|milh[aã]o de)) (?:fois|veces|vezes)`,
  ),
  'repeat-order-russian': order(
    `(?:повтори|повторите|напиши|напишите|скажи|напечатай|выведи) ${SOME}(?:${NUMBER}|(?:[а-яё]{2,12} ){0,2}(?:тысяч|тысячу|тысячи|миллион|миллиона|миллионов)) раз`,
  ),
  'repeat-order-chinese': order(
    '(?:重复|重複|写|寫|说|說|输出|輸出|打印) ?[^ ]{0,12} ?(?:[0-9]{4,9}|[一二两三四五六七八九十百]{0,4}[千万萬亿億]) ?(?:次|遍|回)',
  ),
} as const satisfies Record<string, Rule>
