import type { Rule } from '../core/rule.ts'
import { labelled } from './context.ts'
import { american } from './national-americas.ts'
import { elsewhere } from './national-elsewhere.ts'
import { eastEuropean, westEuropean } from './national-europe.ts'

const number = { bounds: 'digit', evidence: 'checksum' } as const
const afterLabel = { ignoreCase: true, bounds: 'digit', evidence: 'checksum', score: 0.9 } as const

const americanRules = {
  'us-ssn': { pattern: '\\d{3}[-. ]\\d{2}[-. ]\\d{4}', bounds: 'digit', check: american.ssn, score: 0.9 },
  'us-ssn-labelled': {
    ...afterLabel,
    prefix: labelled('ssn|social security|social'),
    pattern: '\\d{9}',
    check: american.ssn,
    evidence: 'label',
  },
  'us-itin': { pattern: '\\d{3}[-. ]\\d{2}[-. ]\\d{4}', bounds: 'digit', check: american.itin, score: 0.8 },
  'ca-sin': { ...number, pattern: '\\d{3}[-. ]\\d{3}[-. ]\\d{3}', check: american.sin, score: 0.7 },
  'ca-sin-labelled': {
    ...afterLabel,
    prefix: labelled("social insurance|numéro d'assurance sociale"),
    pattern: '\\d{9}',
    check: american.sin,
  },
  'br-cpf': {
    ...number,
    pattern: '(?:\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}|\\d{11})',
    check: american.cpf,
    score: 0.8,
  },
  'br-cnpj': {
    lead: { class: '[A-Z0-9./]', min: 15, max: 15 },
    pattern: '-\\d{2}',
    check: american.cnpj,
    evidence: 'checksum',
    score: 0.8,
  },
  'mx-curp': {
    lead: { class: '[A-Z]', min: 4, max: 5 },
    pattern: '\\d{6}[HMX][A-Z]{5}[A-Z0-9]\\d',
    check: american.curp,
    evidence: 'checksum',
  },
  'cl-rut': {
    lead: { class: '[0-9]', min: 1, max: 3 },
    pattern: '\\.\\d{3}\\.\\d{3}-[\\dkK]',
    check: american.rut,
    evidence: 'checksum',
    score: 0.8,
  },
  'ar-cuit': { ...number, pattern: '\\d{2}-\\d{8}-\\d', check: american.cuit, score: 0.8 },
} as const satisfies Record<string, Rule>

const europeanRules = {
  'uk-nino': {
    lead: { class: '[A-Z]', min: 2, max: 3 },
    pattern: '(?: \\d{2} \\d{2} \\d{2} ?|\\d{6})[A-D]',
    check: westEuropean.nino,
    score: 0.9,
  },
  'uk-nhs-number': { ...number, pattern: '\\d{3} \\d{3} \\d{4}', check: westEuropean.nhs, score: 0.6 },
  'uk-nhs-number-labelled': {
    ...afterLabel,
    prefix: labelled('nhs|national health service'),
    pattern: '\\d{3}-?\\d{3}-?\\d{4}',
    check: westEuropean.nhs,
  },
  'de-tax-id': {
    ...number,
    pattern: '\\d{2} \\d{3} \\d{3} \\d{3}',
    check: westEuropean.steuerId,
    score: 0.7,
  },
  'de-tax-id-labelled': {
    ...afterLabel,
    prefix: labelled(
      'steuer-?id|steuer-?identifikationsnummer|steuerliche identifikationsnummer|idnr\\.?|tax id|tin',
    ),
    pattern: '[1-9]\\d{10}',
    check: westEuropean.steuerId,
  },
  'fr-nir': {
    pattern: '(?:\\d \\d{2} \\d{2} \\d[\\dAB] \\d{3} \\d{3} \\d{2}|\\d{6}[\\dAB]\\d{8})',
    check: westEuropean.nir,
    evidence: 'mod97',
    score: 0.9,
  },
  'es-dni': { pattern: '\\d{8}-?[A-HJ-NP-TV-Z]', check: westEuropean.dni, evidence: 'checksum', score: 0.8 },
  'es-nie': {
    lead: { class: '[XYZ]', min: 1, max: 2 },
    pattern: '(?:-\\d{7}-|\\d{7})[A-HJ-NP-TV-Z]',
    check: westEuropean.dni,
    evidence: 'checksum',
    score: 0.9,
  },
  'it-codice-fiscale': {
    lead: { class: '[A-Za-z]', min: 6, max: 7 },
    pattern: '\\d{2}[A-EHLMPR-T]\\d{2}[A-Z]\\d{3}[A-Z]',
    ignoreCase: true,
    check: westEuropean.codiceFiscale,
    evidence: 'checksum',
  },
  'nl-bsn': {
    ...afterLabel,
    prefix: labelled('bsn|burgerservicenummer|sofinummer|sofi'),
    pattern: '\\d{4}\\.?\\d{2}\\.?\\d{2,3}',
    check: westEuropean.bsn,
  },
  'be-national-number': {
    ...number,
    pattern: '(?:\\d{2}\\.\\d{2}\\.\\d{2}-\\d{3}\\.\\d{2}|\\d{11})',
    check: westEuropean.rijksregister,
    score: 0.8,
  },
  'pt-nif': {
    ...afterLabel,
    prefix: labelled('nif|contribuinte|número de contribuinte'),
    pattern: '\\d{3} ?\\d{3} ?\\d{3}',
    check: westEuropean.nif,
  },
  'ch-ahv': {
    ...number,
    pattern: '756(?:\\.\\d{4}\\.\\d{4}\\.\\d{2}|\\d{10})',
    check: westEuropean.ahv,
    score: 0.9,
  },
  'ie-pps': { pattern: '\\d{7}[A-W][A-I]?', check: westEuropean.pps, evidence: 'checksum', score: 0.8 },
  'pl-pesel': { ...number, pattern: '\\d{11}', check: eastEuropean.pesel, score: 0.6 },
  'se-personnummer': {
    ...number,
    lead: { class: '[0-9]', min: 6, max: 9 },
    pattern: '[-+]\\d{4}',
    check: eastEuropean.personnummer,
    score: 0.8,
  },
  'fi-hetu': {
    pattern: '\\d{6}[-+A-FU-Y]\\d{3}[0-9A-FHJ-NPR-Y]',
    check: eastEuropean.hetu,
    evidence: 'checksum',
  },
  'no-fodselsnummer': {
    ...number,
    pattern: '(?:\\d{6} \\d{5}|\\d{11})',
    check: eastEuropean.fodselsnummer,
    score: 0.8,
  },
  'cz-rodne-cislo': { ...number, pattern: '\\d{6}/\\d{4}', check: eastEuropean.rodneCislo, score: 0.9 },
  'ro-cnp': {
    ...afterLabel,
    prefix: labelled('cnp|cod numeric personal'),
    pattern: '[1-8]\\d{12}',
    check: eastEuropean.cnp,
  },
  'tr-tckn': { ...number, pattern: '\\d{11}', check: eastEuropean.tckn, score: 0.7 },
} as const satisfies Record<string, Rule>

const otherRules = {
  'au-tfn': {
    ...afterLabel,
    prefix: labelled('tfn|tax file'),
    pattern: '\\d{3} ?\\d{3} ?\\d{3}',
    check: elsewhere.tfn,
  },
  'au-medicare': {
    ...afterLabel,
    prefix: labelled('medicare|medicare card'),
    pattern: '[2-6]\\d{3} ?\\d{5} ?\\d(?:[ /-]?\\d)?',
    check: elsewhere.medicare,
  },
  'in-aadhaar': {
    ...number,
    pattern: '\\d{4}[-. ]\\d{4}[-. ]\\d{4}',
    check: elsewhere.aadhaar,
    score: 0.7,
  },
  'in-aadhaar-labelled': {
    ...afterLabel,
    prefix: labelled('aadhaar|aadhar|uidai|uid|आधार'),
    pattern: '[2-9]\\d{11}',
    check: elsewhere.aadhaar,
  },
  'in-pan': {
    lead: { class: '[A-Z]', min: 5, max: 6 },
    pattern: '\\d{4}[A-Z]',
    check: (found) => found.length === 10 && /^...[ABCFGHLJPT]/.test(found),
    score: 0.8,
  },
  'cn-resident-id': {
    pattern: '\\d{17}[\\dXx]',
    bounds: 'digit',
    check: elsewhere.residentId,
    evidence: 'checksum',
    score: 0.9,
  },
  'jp-my-number': {
    ...afterLabel,
    prefix: '(?:my ?number|individual number|マイナンバー|個人番号)[^\\d]{0,6}',
    pattern: '\\d{4}[- ]?\\d{4}[- ]?\\d{4}',
    check: elsewhere.myNumber,
  },
  'kr-rrn': {
    pattern: '\\d{6}-\\d{7}',
    bounds: 'digit',
    check: elsewhere.rrn,
    evidence: 'date',
    score: 0.9,
  },
  'za-id': {
    ...afterLabel,
    prefix: labelled('identity|south african id|sa id|rsa id|id number'),
    pattern: '\\d{13}',
    check: elsewhere.southAfricanId,
  },
  'sg-nric': {
    lead: { class: '[STFGM]', min: 1, max: 2 },
    pattern: '\\d{7}[A-Z]',
    check: elsewhere.nric,
    evidence: 'checksum',
    score: 0.9,
  },
  'th-id': { ...number, pattern: '\\d-\\d{4}-\\d{5}-\\d{2}-\\d', check: elsewhere.thaiId, score: 0.9 },
  'tw-id': {
    lead: { class: '[A-Z]', min: 1, max: 2 },
    pattern: '\\d{9}',
    check: elsewhere.taiwaneseId,
    evidence: 'checksum',
    score: 0.7,
  },
  'il-id': {
    ...afterLabel,
    prefix: labelled('teudat zehut|israeli id|תעודת זהות'),
    pattern: '\\d{9}',
    check: elsewhere.israeliId,
  },
} as const satisfies Record<string, Rule>

/** National numbers of persons and companies. Below 0.8: the check lets one number in ten, or more, pass by chance. */
export const nationalNumberRules = {
  ...americanRules,
  ...europeanRules,
  ...otherRules,
} as const satisfies Record<string, Rule>
