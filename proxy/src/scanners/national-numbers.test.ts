import { expect, test } from '@jest/globals'
import { compileScanner } from '../text/scanner.ts'
import { nationalNumberRules } from './national-numbers.ts'
import { rows, rulesIn, type Samples } from './samples.ts'

const scanner = compileScanner({
  name: 'national',
  tables: [{ category: 'personal_data', rules: nationalNumberRules }],
})

// Numbers from the authorities' own examples, or made up to pass the check.
const samples: Record<keyof typeof nationalNumberRules, Samples> = {
  'us-ssn': {
    hits: ['536-90-4399', '536 90 4399'],
    misses: [
      '000-12-3456',
      '666-12-3456',
      '900-12-3456',
      '536-00-4399',
      '536-90-0000',
      '078-05-1120',
      '536-90 4399',
    ],
  },
  'us-ssn-labelled': {
    hits: ['SSN: 536904399', 'social security number 536904399'],
    misses: ['536904399', 'SSN: 000904399'],
  },
  'us-itin': { hits: ['912-70-1234', '999-88-1234'], misses: ['912-69-1234', '812-70-1234', '912-93-1234'] },
  'ca-sin': { hits: ['130 692 544', '130-692-544'], misses: ['130 692 545', '046 454 286'] },
  'ca-sin-labelled': { hits: ['Social Insurance Number: 130692544'], misses: ['130692544'] },
  'br-cpf': { hits: ['529.982.247-25', '52998224725'], misses: ['529.982.247-26', '111.111.111-11'] },
  'br-cnpj': {
    hits: ['11.222.333/0001-81', '12.ABC.345/01DE-35'],
    misses: ['11.222.333/0001-82', '11222333000181'],
  },
  'mx-curp': { hits: ['HEGG560427MVZRRL04'], misses: ['HEGG560427MVZRRL05', 'HEGG561327MVZRRL04'] },
  'cl-rut': { hits: ['12.345.678-5', '7.654.321-6'], misses: ['12.345.678-6'] },
  'ar-cuit': { hits: ['20-12345678-6'], misses: ['20-12345678-7', '10-12345678-6'] },
  'uk-nino': { hits: ['AB 12 34 56 C', 'AB123456C'], misses: ['GB123456C', 'DA123456C', 'AB123456E'] },
  'uk-nhs-number': { hits: ['943 476 5919'], misses: ['943 476 5918', '987 654 4321'] },
  'uk-nhs-number-labelled': { hits: ['NHS number: 9434765919'], misses: ['9434765919'] },
  'de-tax-id': { hits: ['86 095 742 719'], misses: ['86 095 742 718', '11 111 111 111'] },
  'de-tax-id-labelled': { hits: ['Steuer-ID: 86095742719'], misses: ['86095742719'] },
  'fr-nir': {
    hits: ['2 55 08 14 168 025 38', '255081416802538'],
    misses: ['255081416802539', '355081416802538'],
  },
  'es-dni': { hits: ['12345678Z', '12345678-Z'], misses: ['12345678A', '00000000T'] },
  'es-nie': { hits: ['X1234567L', 'X-1234567-L'], misses: ['X1234567A', 'W1234567L'] },
  'it-codice-fiscale': {
    hits: ['RSSMRA85T10A562S', 'rssmra85t10a562s'],
    misses: ['RSSMRA85T10A562T', 'ARSSMRA85T10A562S'],
  },
  'nl-bsn': {
    hits: ['BSN: 111222333', 'burgerservicenummer 123456782'],
    misses: ['111222333', 'BSN: 111222334'],
  },
  'be-national-number': { hits: ['85.07.30-033.28', '85073003328'], misses: ['85.07.30-033.29'] },
  'pt-nif': { hits: ['NIF: 123456789', 'contribuinte 501 964 843'], misses: ['501964843', 'NIF: 501964842'] },
  'ch-ahv': { hits: ['756.9217.0769.85', '7569217076985'], misses: ['756.9217.0769.84'] },
  'ie-pps': { hits: ['1234567T', '1234567FA'], misses: ['1234567A', '1234567TB'] },
  'pl-pesel': { hits: ['44051401359'], misses: ['44051401358', '44133401359'] },
  'se-personnummer': {
    hits: ['811228-9874', '19811228-9874', '811228+9874'],
    misses: ['811228-9875', '1811228-9874', '811328-9874'],
  },
  'fi-hetu': { hits: ['131052-308T', '131052A308T'], misses: ['131052-308U', '321052-308T'] },
  'no-fodselsnummer': { hits: ['01010750160', '010107 50160'], misses: ['01010750161'] },
  'cz-rodne-cislo': { hits: ['736028/5163'], misses: ['736028/5164'] },
  'ro-cnp': { hits: ['CNP: 1800101221144'], misses: ['1800101221144', 'CNP: 1800101221145'] },
  'tr-tckn': { hits: ['10000000146'], misses: ['10000000147', '00000000146'] },
  'au-tfn': {
    hits: ['TFN: 123 456 782', 'tax file number 123456782'],
    misses: ['123 456 782', 'TFN: 123 456 783'],
  },
  'au-medicare': {
    hits: ['Medicare card number: 2123 45670 1'],
    misses: ['Medicare card number: 2123 45671 1', '2123 45670 1'],
  },
  'in-aadhaar': { hits: ['2341 2341 2346'], misses: ['2341 2341 2347', '0341 2341 2346'] },
  'in-aadhaar-labelled': { hits: ['Aadhaar: 234123412346'], misses: ['234123412346'] },
  'in-pan': { hits: ['ABCPE1234F'], misses: ['ABCDE1234F', 'AABCPE1234F', 'ABCPE12345'] },
  'cn-resident-id': { hits: ['11010519491231002X'], misses: ['110105194912310021', '11010519491331002X'] },
  'jp-my-number': {
    hits: ['My Number: 1234 5678 9018', 'マイナンバー：123456789018'],
    misses: ['123456789018', 'My Number: 1234 5678 9019'],
  },
  'kr-rrn': { hits: ['900101-1234567'], misses: ['901301-1234567', '900101-9234567'] },
  'za-id': { hits: ['ID number: 8001015009087'], misses: ['8001015009087', 'ID number: 8001015009088'] },
  'sg-nric': { hits: ['S1234567D', 'G1234567X'], misses: ['S1234567E', 'X1234567D'] },
  'th-id': { hits: ['1-1017-00230-70-8'], misses: ['1-1017-00230-70-9'] },
  'tw-id': { hits: ['A123456789'], misses: ['A123456780', 'A323456789'] },
  'il-id': { hits: ['Israeli ID: 123456782'], misses: ['123456782', 'Israeli ID: 123456783'] },
}

test.each(rows(samples))('%s is found where it stands and only there', (rule, { hits, misses }) => {
  for (const hit of hits) expect(rulesIn(scanner, `see ${hit} here`)).toContain(rule)
  for (const miss of misses) expect(rulesIn(scanner, `see ${miss} here`)).not.toContain(rule)
})
