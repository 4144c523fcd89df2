import type { Rule } from '../core/rule.ts'
import { labelled } from './context.ts'
import { american } from './national-americas.ts'
import { elsewhere } from './national-elsewhere.ts'
import { eastEuropean, westEuropean } from './national-europe.ts'

const number = { bounds: 'digit', evidence: 'checksum' } as const
const afterLabel = { ignoreCase: true, bounds: 'digit', evidence: 'checksum', score: 0.9 } as const

const americanRules = {
  'us-ssn': { pattern: '\\d{3}[- ]\\d{2}[- ]\\d{4}', bounds: 'digit', check: american.ssn, score: 0.9 },
  'us-ssn-labelled': {
    ...afterLabel,
    prefix: labelled('ssn|social security|social'),
    pattern: '\\d{9}',
    check: american.ssn,
    evidence: 'label',
  },
  'us-itin': { pattern: '9\\d{2}[- ]\\d{2}[- ]\\d{4}', bounds: 'digit', check: american.itin, score: 0.8 },
  'ca-sin': { ...number, pattern: '[1-79]\\d{2}[- ]\\d{3}[- ]\\d{3}', check: american.sin, score: 0.7 },
  'ca-sin-labelled': {
    ...afterLabel,
    prefix: labelled("social insurance|numéro d'assurance sociale"),
    pattern: '\\d{9}',
    check: american.sin,
  },
  'br-cpf': { ...number, pattern: '\\d{3}\\.?\\d{3}\\.?\\d{3}-?\\d{2}', check: american.cpf, score: 0.8 },
  'br-cnpj': {
    pattern: '[A-Z0-9]{2}\\.?[A-Z0-9]{3}\\.?[A-Z0-9]{3}/?[A-Z0-9]{4}-?\\d{2}',
    check: american.cnpj,
    evidence: 'checksum',
    score: 0.8,
  },
  'mx-curp': {
    pattern: '[A-Z]{4}\\d{6}[HMX][A-Z]{5}[A-Z0-9]\\d',
    check: american.curp,
    evidence: 'checksum',
  },
  'cl-rut': {
    pattern: '\\d{1,2}\\.\\d{3}\\.\\d{3}-[\\dkK]',
    check: american.rut,
    evidence: 'checksum',
    score: 0.8,
  },
  'ar-cuit': { ...number, pattern: '[23]\\d-\\d{8}-\\d', check: american.cuit, score: 0.8 },
} as const satisfies Record<string, Rule>

const europeanRules = {
  'uk-nino': {
    pattern: '[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]',
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
    pattern: '[1-9]\\d ?\\d{3} ?\\d{3} ?\\d{3}',
    check: westEuropean.steuerId,
    score: 0.6,
  },
  'fr-nir': {
    pattern: '[12] ?\\d{2} ?\\d{2} ?(?:\\d{2}|2[AB]) ?\\d{3} ?\\d{3} ?\\d{2}',
    check: westEuropean.nir,
    evidence: 'mod97',
    score: 0.9,
  },
  'es-dni': { pattern: '\\d{8}-?[A-HJ-NP-TV-Z]', check: westEuropean.dni, evidence: 'checksum', score: 0.8 },
  'es-nie': {
    pattern: '[XYZ]-?\\d{7}-?[A-HJ-NP-TV-Z]',
    check: westEuropean.dni,
    evidence: 'checksum',
    score: 0.9,
  },
  'it-codice-fiscale': {
    pattern: '[A-Z]{6}[\\dL-NP-V]{2}[A-EHLMPR-T][\\dL-NP-V]{2}[A-Z][\\dL-NP-V]{3}[A-Z]',
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
    pattern: '\\d{2}\\.?\\d{2}\\.?\\d{2}-?\\d{3}\\.?\\d{2}',
    check: westEuropean.rijksregister,
    score: 0.8,
  },
  'pt-nif': {
    ...afterLabel,
    prefix: labelled('nif|contribuinte|número de contribuinte'),
    pattern: '\\d{3} ?\\d{3} ?\\d{3}',
    check: westEuropean.nif,
  },
  'ch-ahv': { ...number, pattern: '756\\.?\\d{4}\\.?\\d{4}\\.?\\d{2}', check: westEuropean.ahv, score: 0.9 },
  'ie-pps': { pattern: '\\d{7}[A-W][A-I]?', check: westEuropean.pps, evidence: 'checksum', score: 0.8 },
  'pl-pesel': { ...number, pattern: '\\d{11}', check: eastEuropean.pesel, score: 0.6 },
  'se-personnummer': {
    ...number,
    pattern: '(?:19|20)?\\d{6}[-+]\\d{4}',
    check: eastEuropean.personnummer,
    score: 0.8,
  },
  'fi-hetu': {
    pattern: '[0-3]\\d{5}[-+A-FU-Y]\\d{3}[0-9A-FHJ-NPR-Y]',
    check: eastEuropean.hetu,
    evidence: 'checksum',
  },
  'no-fodselsnummer': { ...number, pattern: '\\d{6} ?\\d{5}', check: eastEuropean.fodselsnummer, score: 0.8 },
  'cz-rodne-cislo': { ...number, pattern: '\\d{6}/\\d{4}', check: eastEuropean.rodneCislo, score: 0.9 },
  'ro-cnp': { ...number, pattern: '[1-8]\\d{12}', check: eastEuropean.cnp, score: 0.7 },
  'tr-tckn': { ...number, pattern: '[1-9]\\d{10}', check: eastEuropean.tckn, score: 0.7 },
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
    pattern: '[2-9]\\d{3}[- ]\\d{4}[- ]\\d{4}',
    check: elsewhere.aadhaar,
    score: 0.7,
  },
  'in-aadhaar-labelled': {
    ...afterLabel,
    prefix: labelled('aadhaar|aadhar|uidai|uid|आधार'),
    pattern: '[2-9]\\d{11}',
    check: elsewhere.aadhaar,
  },
  'in-pan': { pattern: '[A-Z]{3}[ABCFGHJLPT][A-Z]\\d{4}[A-Z]', score: 0.8 },
  'cn-resident-id': {
    pattern: '[1-9]\\d{16}[\\dXx]',
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
    pattern: '\\d{6}-[1-8]\\d{6}',
    bounds: 'digit',
    check: elsewhere.rrn,
    evidence: 'date',
    score: 0.9,
  },
  'za-id': { ...number, pattern: '\\d{13}', check: elsewhere.southAfricanId, score: 0.6 },
  'sg-nric': { pattern: '[STFGM]\\d{7}[A-Z]', check: elsewhere.nric, evidence: 'checksum', score: 0.9 },
  'th-id': { ...number, pattern: '\\d-\\d{4}-\\d{5}-\\d{2}-\\d', check: elsewhere.thaiId, score: 0.9 },
  'tw-id': { pattern: '[A-Z][1289]\\d{8}', check: elsewhere.taiwaneseId, evidence: 'checksum', score: 0.7 },
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
