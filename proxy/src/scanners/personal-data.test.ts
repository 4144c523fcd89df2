import { expect, test } from '@jest/globals'
import { compileScanner } from '../text/scanner.ts'
import type { nationalNumberRules } from './national-numbers.ts'
import { personalDataRules } from './personal-data.ts'
import { rows, rulesIn, type Samples } from './samples.ts'

type Rules = Exclude<keyof typeof personalDataRules, keyof typeof nationalNumberRules>

const scanner = compileScanner({
  name: 'personal-data',
  tables: [{ category: 'personal_data', rules: personalDataRules }],
})

const samples: Record<Rules, Samples> = {
  email: {
    hits: ['anna.berg@example.org', "o'neil+news@mail.example.co.uk", 'x@y.io'],
    misses: ['icon@2x.png', 'git@github.com:a/b', 'user@localhost', 'a..b@', 'npm i react@18.2.0'],
  },
  'phone-international': {
    hits: ['+44 20 7946 0958', '+14155552671', '+49 (0)30 901820', '0041 44 668 18 00'],
    misses: ['+1', '+999 12 345 678', '1 + 2 345', '+00000000000'],
  },
  'phone-north-american': {
    hits: ['415-555-2671', '(415) 555-2671', '415.555.2671'],
    misses: ['115-555-2671', '415-155-2671', '2024-10-1234', '415-555-26710'],
  },
  'phone-european': {
    hits: ['030 901 820 55', '01 42 68 53 00', '0171-555 26 71'],
    misses: ['10 20 30', '12.05.2024', '0.5 10 20'],
  },
  'phone-labelled': {
    hits: ['Phone: 78 651 450', 'call me at 415 555 2671', 'Tel. 030/901820'.replace('/', ' ')],
    misses: ['phone number of seats: 12', 'call 12', 'fax 2024-10-12'],
  },
  'us-street-address': {
    hits: ['25200 Carlos Bee Boulevard', '1 N. Main Street', '921 Fletcher Lane'],
    misses: ['3 days in the Street', '5 good roads', 'Main Street'],
  },
  'date-of-birth': {
    hits: ['date of birth: 1984-02-29', 'DOB 12/31/1990', 'born on 31.12.1990', 'Geburtsdatum: 1.2.1970'],
    misses: ['date of issue: 1984-02-29', 'dob: 99/99/1990', '1984-02-29'],
  },
  'date-of-birth-day-first': {
    hits: ['born on 3rd of March 1988', 'DOB: 3 Mar 1988'],
    misses: ['arrived on 3 March 1988', 'born on 3 Foo 1988'],
  },
  'date-of-birth-month-first': {
    hits: ['born March 3, 1988', 'date of birth: Sept. 3rd 1988'],
    misses: ['born in March', 'born after 3, 1988'],
  },
  'payment-card': {
    hits: [
      '4111 1111 1111 1111',
      '5500-0000-0000-0004',
      '378282246310005',
      '6011111111111117',
      '4111 1111 1111 1111 123',
      '4111 1111 1111 1111 12/27',
    ],
    misses: ['4111 1111 1111 1112', '1234567812345670', '0000000000000000', '41111111111111110000'],
  },
  'payment-card-19': {
    hits: ['6212 3412 3412 3412 346'],
    misses: ['6212 3412 3412 3412 341'],
  },
  iban: {
    hits: ['DE89370400440532013000', 'GB82 WEST 1234 5698 7654 32', 'fr1420041010050500013m02606'],
    misses: ['DE89370400440532013001', 'XX89370400440532013000', 'ADE89370400440532013000'],
  },
  'us-routing-number': {
    hits: ['routing number: 021000021', 'ABA 011401533'],
    misses: ['021000021', 'routing number: 021000022', 'routing number: 999999999'],
  },
  'bank-account-number': {
    hits: ['account number: 12345678901'],
    misses: ['account number 12', '12345678901'],
  },
  'bitcoin-address': {
    hits: ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa', '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy'],
    misses: ['1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb', '1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
  },
  'bitcoin-segwit-address': {
    hits: [
      'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
      'bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0',
    ],
    misses: ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5'],
  },
  'tron-address': {
    hits: ['TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t'],
    misses: ['TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6u'],
  },
  'ethereum-address': {
    hits: ['0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe'],
    misses: ['0x0000000000000000000000000000000000000000', '0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe00'],
  },
  'ipv4-address': {
    hits: ['81.2.69.142', 'http://81.2.69.142/x'],
    misses: [
      '10.0.0.1',
      '192.168.1.10',
      '127.0.0.1',
      '203.0.113.9',
      'v1.2.3.4',
      '1.2.3.4.5',
      '256.1.1.1',
      '5.10.0.0',
    ],
  },
  'ipv6-address': {
    hits: [
      '2a02:898:52::1',
      '2a02:898:52::1:',
      '6e40:4041:c617:e898:c11:40d2:c669:2eb4',
      '2606:4700:4700:0000:0000:0000:0000:1111',
    ],
    misses: [
      '::1',
      'fe80::1',
      'fd00:1:2:3:4:5:6:7',
      '0:0:0:0:0:0:0:1',
      '2001:db8::1',
      'std::abc::def',
      '12:34:56',
      '00:1a:2b:3c:4d:5e',
    ],
  },
  'mac-address': {
    hits: ['00:1a:2b:3c:4d:5e', '00-1A-2B-3C-4D-5E'],
    misses: ['00:00:00:00:00:00', '00:1a-2b:3c:4d:5e', 'ff:ff:ff:ff:ff:ff', '00:1a:2b'],
  },
  'passport-mrz': {
    hits: ['L898902C36UTO7408122F1204159ZE184226B<<<<<10'],
    misses: ['L898902C37UTO7408122F1204159ZE184226B<<<<<10'],
  },
  'passport-mrz-name': {
    hits: ['P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<'],
    misses: ['P<UTOERIKSSON<<ANNA', '<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<'],
  },
  'identity-card-mrz': {
    hits: ['7408122F1204159UTO<<<<<<<<<<<6'],
    misses: ['7408123F1204159UTO<<<<<<<<<<<6'],
  },
  'passport-number': {
    hits: ['Passport No: X1234567', 'passport number is 123456789'],
    misses: ['passport office', 'X1234567'],
  },
  'driving-licence-number': {
    hits: ["driver's license number is F162823540116", 'driving licence: 5130634'],
    misses: ["driver's license renewal", 'F162823540116'],
  },
}

test.each(rows(samples))('%s is found where it stands and only there', (rule, { hits, misses }) => {
  for (const hit of hits) expect(rulesIn(scanner, `see ${hit} here`)).toContain(rule)
  for (const miss of misses) expect(rulesIn(scanner, `see ${miss} here`)).not.toContain(rule)
})

test('dates, versions, counters and times are nobody', () => {
  for (const text of [
    '2024-10-12',
    '12/31/1999 23:59:59',
    '1.2.3',
    '1699999999999',
    '20180214031830',
    '3.1415926535',
  ])
    expect(rulesIn(scanner, `at ${text} we saw it`)).toEqual([])
})
