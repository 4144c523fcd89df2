import type { Rule } from '../core/rule.ts'
import { isEmail, isInternationalPhone, isNationalPhone, isNorthAmericanPhone } from './addresses.ts'
import { labelled } from './context.ts'
import { isNumericDate } from './dates.ts'
import { nationalNumberRules } from './national-numbers.ts'
import { isMacAddress, isPublicIpv4, isPublicIpv6 } from './network.ts'
import { isCardLine, isPassportLine } from './passport.ts'
import { isIban, isPaymentCard, isRoutingNumber } from './payment.ts'
import { isBase58Address, isBech32 } from './wallets.ts'

const MONTH =
  '(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)'
const BORN = labelled(
  'date of birth|birth ?date|birthday|d\\.?o\\.?b\\.?|born(?: on)?|date de naissance|geburtsdatum|geboren am|fecha de nacimiento|data di nascita',
)
const STREET =
  '(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Terrace|Circle|Square|Parkway|Pkwy|Highway|Hwy)'

const contactRules = {
  email: {
    lead: { class: '[A-Za-z0-9._%+-]', min: 1, max: 64 },
    pattern: '@(?:[A-Za-z0-9-]{1,63}\\.){1,8}[A-Za-z]{2,24}',
    check: isEmail,
  },
  'phone-international': {
    pattern: '(?:\\+|00)\\d[\\d ().-]{6,20}\\d',
    bounds: 'digit',
    check: isInternationalPhone,
    evidence: 'country-code',
    score: 0.9,
  },
  'phone-north-american': {
    pattern: '(?:\\d{3}[-. ]|\\(\\d{3}\\) ?)\\d{3}[-. ]\\d{4}',
    bounds: 'digit',
    check: isNorthAmericanPhone,
    score: 0.7,
  },
  'phone-european': {
    lead: { class: '[0-9]', min: 2, max: 6 },
    pattern: '[-/. ]\\d{2,4}[-. ]\\d{2,4}(?:[-. ]\\d{2,4}){0,3}',
    bounds: 'digit',
    check: (found) => /^0[1-9]/.test(found) && isNationalPhone(found),
    score: 0.6,
  },
  'phone-labelled': {
    prefix: labelled(
      '(?:phone|telephone|mobile|cell|cell ?phone|fax|desk|tel\\.?|telefon|telefono|teléfono|téléphone|handy|whatsapp|(?:call|text|reach|answering)(?: me| us| him| her| them)?(?: at| on)?|messages to|my number)',
    ),
    pattern: '[(\\d][\\d ().-]{5,18}\\d',
    ignoreCase: true,
    bounds: 'digit',
    check: isNationalPhone,
    evidence: 'label',
    score: 0.8,
  },
  'us-street-address': {
    lead: { class: '[0-9]', min: 0, max: 4 },
    pattern: `\\d (?:[NSEW]\\.? )?(?:[A-Z][a-z]{1,20} ){1,3}${STREET}`,
    score: 0.6,
  },
  'date-of-birth': {
    prefix: BORN,
    pattern: '\\d{1,4}[-/. ]\\d{1,2}[-/. ]\\d{2,4}',
    ignoreCase: true,
    bounds: 'digit',
    check: isNumericDate,
    evidence: 'label',
    score: 0.8,
  },
  'date-of-birth-day-first': {
    prefix: BORN,
    pattern: `\\d{1,2}(?:st|nd|rd|th)?(?: of)?[- ]${MONTH}[-, ]{1,2}(?:1[89]|20)\\d\\d`,
    ignoreCase: true,
    evidence: 'label',
    score: 0.8,
  },
  'date-of-birth-month-first': {
    prefix: BORN,
    pattern: `[a-s][a-z]{2,8}\\.? \\d{1,2}(?:st|nd|rd|th)?,? (?:1[89]|20)\\d\\d`,
    ignoreCase: true,
    check: (found) => /^(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)/i.test(found),
    evidence: 'label',
    score: 0.8,
  },
} as const satisfies Record<string, Rule>

const moneyRules = {
  'payment-card': {
    // Groups as printed on cards: a looser pattern would take in the expiry date and the security code that follow.
    pattern:
      '(?:\\d{12,19}|\\d{4}[ -]\\d{4}[ -]\\d{4}[ -]\\d{4}|\\d{4}[ -]\\d{6}[ -]\\d{4,5}|\\d{6}[ -]\\d{10,13})',
    bounds: 'digit',
    check: isPaymentCard,
    evidence: 'luhn',
  },
  'payment-card-19': {
    pattern: '\\d{4}[ -]\\d{4}[ -]\\d{4}[ -]\\d{4}[ -]\\d{3}',
    bounds: 'digit',
    check: isPaymentCard,
    evidence: 'luhn',
  },
  iban: {
    lead: { class: '[A-Za-z]', min: 2, max: 3 },
    pattern:
      '\\d{2}(?:[A-Za-z0-9]{11,30}|[ -][A-Z0-9]{4}[ -][A-Z0-9]{4}(?:[ -][A-Z0-9]{4}){0,6}(?:[ -][A-Z0-9]{1,3})?)',
    check: isIban,
    evidence: 'mod97',
  },
  'us-routing-number': {
    prefix: labelled('routing|routing transit|aba|aba routing|rtn'),
    pattern: '\\d{9}',
    ignoreCase: true,
    bounds: 'digit',
    check: isRoutingNumber,
    evidence: 'aba',
    score: 0.8,
  },
  'bank-account-number': {
    prefix: labelled('bank account|account|acct\\.?|a/c|kontonummer|konto'),
    pattern: '\\d{8,17}',
    ignoreCase: true,
    bounds: 'digit',
    evidence: 'label',
    score: 0.5,
  },
  'bitcoin-address': {
    pattern: '[13][1-9A-HJ-NP-Za-km-z]{25,34}',
    check: isBase58Address,
    evidence: 'base58check',
  },
  'bitcoin-segwit-address': {
    pattern: 'bc1[02-9ac-hj-np-z]{11,71}',
    ignoreCase: true,
    check: isBech32,
    evidence: 'bech32',
  },
  'tron-address': { pattern: 'T[1-9A-HJ-NP-Za-km-z]{33}', check: isBase58Address, evidence: 'base58check' },
  'ethereum-address': {
    pattern: '0x[0-9a-fA-F]{40}',
    check: (found) => new Set(found).size >= 8,
    score: 0.7,
  },
} as const satisfies Record<string, Rule>

const networkRules = {
  'ipv4-address': {
    // A `v` before it makes it a version number: it is taken in so that the check can refuse it.
    lead: { class: '[0-9vV]', min: 1, max: 4 },
    pattern: '\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}',
    bounds: 'digit',
    check: isPublicIpv4,
    score: 0.6,
  },
  'ipv6-address': {
    lead: { class: '[0-9a-fA-F:]', min: 0, max: 40 },
    pattern: ':[0-9a-fA-F:]{1,38}[0-9a-fA-F]',
    check: isPublicIpv6,
    score: 0.7,
  },
  'mac-address': {
    lead: { class: '[0-9a-fA-F]', min: 2, max: 2 },
    pattern: '[:-][0-9a-fA-F]{2}[:-][0-9a-fA-F]{2}[:-][0-9a-fA-F]{2}[:-][0-9a-fA-F]{2}[:-][0-9a-fA-F]{2}',
    check: isMacAddress,
    score: 0.7,
  },
} as const satisfies Record<string, Rule>

const documentRules = {
  'passport-mrz': {
    // The sex is what begins it, not the digits before: those stand everywhere in tables.
    lead: { class: '[A-Z0-9<]', min: 20, max: 20 },
    pattern: '[MFX<]\\d{7}[A-Z0-9<]{14}[\\d<]\\d',
    bounds: 'none',
    check: isPassportLine,
    evidence: 'icao9303',
  },
  'passport-mrz-name': {
    pattern: 'P[<DPSO][A-Z][A-Z<]{41}',
    check: (found) => found.includes('<<'),
    score: 0.8,
  },
  'identity-card-mrz': {
    lead: { class: '\\d', min: 7, max: 7 },
    pattern: '[MFX<]\\d{7}[A-Z<]{3}[A-Z0-9<]{11}\\d',
    bounds: 'none',
    check: isCardLine,
    evidence: 'icao9303',
  },
  'passport-number': {
    prefix: labelled('passport|reisepass|passeport|pasaporte|passaporto'),
    pattern: '[A-Z]{0,2}\\d{6,9}',
    ignoreCase: true,
    evidence: 'label',
    score: 0.7,
  },
  'driving-licence-number': {
    prefix: labelled("driver(?:'?s)?(?:'s)? licen[cs]e|driving licen[cs]e|driver licen[cs]e"),
    pattern: '[A-Z]{0,2}\\d[A-Z0-9-]{5,15}',
    ignoreCase: true,
    evidence: 'label',
    score: 0.6,
  },
} as const satisfies Record<string, Rule>

/** Personal data. Rules without a checksum, or whose checksum is weak, ask for a label before the number or score lower. */
export const personalDataRules = {
  ...contactRules,
  ...moneyRules,
  ...networkRules,
  ...documentRules,
  ...nationalNumberRules,
} as const satisfies Record<string, Rule>
