import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { answerSample } from './answer-sample.ts'
import { declines } from './declines.ts'
import { languageOf } from './language.ts'

test.each([
  ['en', 'The report shows that revenue was higher in the north, and that costs fell for the third time.'],
  ['de', 'Der Bericht zeigt, dass der Umsatz im Norden höher war und die Kosten nicht gestiegen sind.'],
  ['fr', 'Le rapport montre que les revenus sont plus élevés dans le nord et que les coûts ont baissé.'],
  ['es', 'El informe muestra que los ingresos son más altos en el norte y que los costes no suben.'],
  ['it', 'Il rapporto dice che nel nord i ricavi sono più alti e che i costi non sono saliti.'],
  ['pt', 'O relatório mostra que as receitas são mais altas no norte e que os custos não sobem.'],
  ['nl', 'Het rapport laat zien dat de omzet in het noorden hoger is en dat de kosten niet stijgen.'],
  ['sv', 'Rapporten visar att det är högre intäkter i norr och att kostnaderna inte har ökat för oss.'],
  ['pl', 'Raport pokazuje, że przychody są wyższe na północy i że koszty nie wzrosły w tym roku.'],
  ['tr', 'Rapor, gelirlerin kuzeyde daha yüksek olduğunu ve bu yıl için çok artmadığını gösteriyor.'],
  [
    'id',
    'Laporan ini menunjukkan bahwa pendapatan di utara lebih tinggi dan biaya tidak naik untuk tahun ini.',
  ],
  ['ru', 'Отчёт показывает, что выручка на севере выше, а расходы не выросли.'],
  ['uk', 'Звіт показує, що виручка на півночі вища, а витрати не зросли.'],
  ['el', 'Η έκθεση δείχνει ότι τα έσοδα είναι υψηλότερα.'],
  ['ar', 'يظهر التقرير أن الإيرادات أعلى في الشمال.'],
  ['fa', 'این گزارش نشان می‌دهد که درآمد در شمال بیشتر است.'],
  ['he', 'הדוח מראה שההכנסות גבוהות יותר בצפון.'],
  ['hi', 'रिपोर्ट बताती है कि उत्तर में आय अधिक है।'],
  ['th', 'รายงานแสดงว่ารายได้ทางเหนือสูงกว่า'],
  ['ja', 'レポートによると、北部の収益が高いです。'],
  ['zh', '报告显示北方的收入更高，成本没有上升。'],
  ['ko', '보고서에 따르면 북부의 수익이 더 높습니다.'],
  ['und', 'x = 1; y = 2'],
  ['und', ''],
])('%s: %s', (language, text) => expect(languageOf(text)).toBe(language))

test.each([
  "I'm sorry, but I can't assist with that.",
  'I’m sorry, but I can’t help with that request.',
  'Es tut mir leid, aber dabei kann ich nicht helfen.',
  'Lo siento, pero no puedo ayudarte con eso.',
  'Je suis désolé, mais je ne peux pas vous aider.',
  'К сожалению, я не могу помочь с этим.',
  '抱歉，我无法提供这方面的帮助。',
  '申し訳ありませんが、それにはお答えできません。',
])('the model says no: %s', (answer) => expect(declines(answer)).toBe(true))

test.each([
  'Sure. Here are three ways to end a Python process.',
  'The word "sorry" comes from Old English.',
  'Sorry for the delay: the answer is 42.',
  `${'A long answer about politeness. '.repeat(12)}Some say: I cannot help with that.`,
])('the model does not say no: %s', (answer) => expect(declines(answer)).toBe(false))

test('neither how an answer is cut into pieces nor its length changes what is known of it', () =>
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 2000 }),
      fc.integer({ min: 1, max: 50 }),
      (answer, size) => {
        const whole = answerSample()
        whole.text(answer, 0)
        const pieces = answerSample()
        for (let at = 0; at < answer.length; at += size) pieces.text(answer.slice(at, at + size), 0)
        expect(pieces.facts()).toEqual(whole.facts())
        expect(whole.facts().characters).toBe(answer.length)
      },
    ),
  ))

test('the language is that of the first choice, the length that of all', () => {
  const sample = answerSample()
  sample.text('Der Bericht ist nicht ', 0)
  sample.text('The report is not for you', 1)
  sample.text('für die Katze', 0)
  expect(sample.facts()).toMatchObject({ language: 'de', characters: 60 })
})

test('tools are kept by name, up to a bound', () => {
  const sample = answerSample()
  for (let at = 0; at < 1000; at++) sample.tool(`t${at}`, ['a'])
  expect(sample.facts().called).toHaveLength(64)
})
