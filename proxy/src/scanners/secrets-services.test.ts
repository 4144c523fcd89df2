import { expect, test } from '@jest/globals'
import { crc32 } from 'node:zlib'
import { compileScanner } from '../text/scanner.ts'
import { chars, rows, rulesIn, type Samples } from './samples.ts'
import { businessSecretRules, developerSecretRules } from './secrets-services.ts'

const { alnum, digits, hex, letters, lower, upper, uuid } = chars
const rules = { ...developerSecretRules, ...businessSecretRules }
const scanner = compileScanner({ name: 'services', tables: [{ category: 'secret', rules }] })

const base64url = (text: string): string => Buffer.from(text).toString('base64url')
const JWT = `${base64url('{"alg":"RS256","typ":"JWT"}')}.${base64url('{"sub":"someone","iat":1}')}.${alnum(43)}`

const base62 = (number: number): string => {
  const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
  return number < 62
    ? (alphabet[number] ?? '')
    : base62(Math.floor(number / 62)) + (alphabet[number % 62] ?? '')
}
const checked = (prefix: string): string =>
  `${prefix}${alnum(30)}${base62(crc32(alnum(30))).padStart(6, '0')}`
const grafana = `glsa_${alnum(32)}`
const hexCrc = (text: string): string => crc32(text).toString(16).padStart(8, '0')

const developer: Record<keyof typeof developerSecretRules, Samples> = {
  'github-token': {
    hits: ['p', 'o', 'u', 's', 'r'].map((kind) => checked(`gh${kind}_`)),
    misses: [`ghp_${alnum(36)}`, `${checked('ghp_').slice(0, -1)}0`, `x${checked('ghp_')}`],
  },
  'github-token-unverified': {
    hits: [`ghp_${alnum(36)}`],
    misses: [checked('ghp_'), `ghp_${'x'.repeat(36)}`],
  },
  'github-app-token': {
    hits: [`ghs_123456_${JWT}`],
    misses: [`ghs_123456_eyJ${alnum(20)}.${alnum(20)}.${alnum(20)}`],
  },
  'github-fine-grained-token': {
    hits: [`github_pat_${alnum(22)}_${alnum(59)}`],
    misses: [`github_pat_${'x'.repeat(22)}_${'x'.repeat(59)}`],
  },
  'gitlab-token': {
    hits: [
      `glpat-${alnum(20)}`,
      `gldt-${alnum(20)}`,
      `glrt-${alnum(20)}`,
      `glpat-${alnum(27)}.01.${lower(9)}`,
    ],
    misses: ['glpat-XXXXXXXXXXXXXXXXXXXX', 'glpat-short'],
  },
  'gitlab-runner-registration': { hits: [`GR1348941${alnum(20)}`], misses: [`GR1348941${alnum(8)}`] },
  'bitbucket-app-password': { hits: [`ATBB${alnum(28)}54D5`], misses: [`ATBB${alnum(10)}`] },
  'bitbucket-access-token': {
    hits: [`ATCTT3xFfG${alnum(160)}=0A1B2C3D`],
    misses: [`ATCTT3xFfG${alnum(20)}`],
  },
  'bitbucket-server-token': { hits: [`BBDC-${alnum(44)}`], misses: [`BBDC-${alnum(10)}`] },
  'atlassian-token': { hits: [`ATATT3xFfG${alnum(170)}=00203E68`], misses: [`ATATT3xFfG${alnum(20)}`] },
  'npm-token': { hits: [checked('npm_')], misses: [`npm_${alnum(36)}`] },
  'npm-token-unverified': { hits: [`npm_${alnum(36)}`], misses: [checked('npm_'), `npm_${'x'.repeat(36)}`] },
  'pypi-token': { hits: [`pypi-AgEIcHlwaS5vcmc${alnum(100)}`], misses: ['pypi-AgEIcHlwaS5vcmc'] },
  'rubygems-key': { hits: [`rubygems_${hex(48)}`], misses: [`rubygems_${hex(40)}`] },
  'crates-token': { hits: [`cio${alnum(32)}`], misses: ['cioccolatofondenteconnocciolepiemonte'] },
  'nuget-key': { hits: [`oy2${lower(43)}`], misses: [`oy2${lower(20)}`] },
  'clojars-token': { hits: [`CLOJARS_${hex(60)}`], misses: [`CLOJARS_${hex(30)}`] },
  'docker-hub-token': {
    hits: [`dckr_pat_${alnum(27)}`, `dckr_oat_${alnum(32)}`],
    misses: ['dckr_pat_EXAMPLE-EXAMPLE-EXAMPLE-123'],
  },
  'artifactory-key': { hits: [`AKCp${alnum(69)}`], misses: [`AKCp${alnum(30)}`] },
  'artifactory-reference-token': { hits: [`cmVmd${alnum(59)}`], misses: [`cmVmd${alnum(20)}`] },
  'sonarqube-token': { hits: [`squ_${hex(40)}`], misses: [`squ_${hex(20)}`] },
  'sourcegraph-token': { hits: [`sgp_${hex(16)}_${hex(40)}`, `sgp_${hex(40)}`], misses: ['sgp_local'] },
  'postman-key': { hits: [`PMAK-${hex(24)}-${hex(34)}`], misses: [`PMAK-${hex(24)}`] },
  'linear-api-key': { hits: [`lin_api_${alnum(40)}`], misses: ['lin_api_key'] },
  'linear-oauth-token': { hits: [`lin_oauth_${hex(64)}`], misses: [`lin_oauth_${hex(20)}`] },
  'notion-token': { hits: [`ntn_${digits(11)}${alnum(35)}`], misses: [`ntn_${digits(11)}`] },
  'notion-legacy-token': {
    hits: [`secret_${alnum(43)}`],
    misses: ['secret_of_the_old_house_on_the_hill_number_12345'],
  },
  'figma-token': { hits: [`figd_${alnum(40)}`], misses: [`figd_${'x'.repeat(40)}`] },
  'airtable-token': { hits: [`pat${alnum(14)}.${hex(64)}`], misses: [`pat${alnum(14)}`] },
  'buildkite-token': { hits: [`bkua_${hex(40)}`], misses: [`bkua_${hex(10)}`] },
  'prefect-key': { hits: [`pnu_${alnum(36)}`], misses: [`pnu_${'X'.repeat(36)}`] },
  'octopus-key': { hits: [`API-${upper(26)}`], misses: ['API-VIRHEKAPSELOINTIMERKKIJONO'] },
  'dependency-track-key': { hits: [`odt_${alnum(32)}`], misses: ['odt_file'] },
  'readme-key': { hits: [`rdme_${lower(70)}`], misses: [`rdme_${'x'.repeat(70)}`] },
  'snyk-token': { hits: [`SNYK_TOKEN=${uuid()}`], misses: [uuid()] },
  'circleci-token': { hits: [`CCIPAT_${alnum(22)}_${hex(40)}`], misses: ['CCIPAT_token'] },
  'posthog-key': { hits: [`phx_${alnum(43)}`], misses: ['phx_airport'] },
  'newrelic-key': { hits: [`NRAK-${upper(27)}`], misses: ['NRAK-KEY'] },
  'newrelic-license-key': { hits: [`${hex(36)}NRAL`], misses: ['eu01xxNRAL', `${'a'.repeat(36)}NRAL`] },
  'newrelic-insert-key': { hits: [`NRII-${alnum(32)}`], misses: ['NRII-KEY'] },
  'grafana-cloud-token': { hits: [`glc_eyJ${alnum(80)}`], misses: [`glc_${'x'.repeat(60)}`] },
  'grafana-service-account-token': {
    hits: [`${grafana}_${hexCrc(grafana)}`],
    misses: [`${grafana}_00000000`, grafana],
  },
  'grafana-api-key': { hits: [`eyJrIjoi${alnum(70)}==`], misses: ['eyJrIjoi'] },
  'sentry-organization-token': { hits: [`sntrys_eyJ${alnum(80)}=_${alnum(43)}`], misses: ['sntrys_token'] },
  'sentry-user-token': { hits: [`sntryu_${hex(64)}`], misses: [`sntryu_${hex(32)}`] },
  'datadog-key': { hits: [`DD_API_KEY=${hex(32)}`, `datadog_app_key: "${hex(40)}"`], misses: [hex(32)] },
  'dynatrace-token': { hits: [`dt0c01.${upper(24)}.${upper(64)}`], misses: [`dt0c01.${upper(24)}`] },
  'honeycomb-key': { hits: [`hcaik_${lower(58)}`], misses: ['hcaik_key'] },
  'pagerduty-key': { hits: [`PAGERDUTY_TOKEN=${alnum(20)}`], misses: [alnum(20)] },
}

const business: Record<keyof typeof businessSecretRules, Samples> = {
  'slack-bot-token': {
    hits: [`xoxb-${digits(12)}-${digits(12)}-${alnum(24)}`],
    misses: ['xoxb-12345-abcd234', `xoxb-${digits(12)}-${digits(12)}-${'x'.repeat(24)}`],
  },
  'slack-user-token': {
    hits: [`xoxp-${digits(12)}-${digits(12)}-${digits(12)}-${hex(32)}`],
    misses: ['xoxp-1234567890'],
  },
  'slack-legacy-token': {
    hits: [`xoxa-${digits(12)}-${alnum(24)}`],
    misses: ['xoxa-nyc.github.io', 'xoxo-indieweb-1'],
  },
  'slack-app-token': { hits: [`xapp-1-${upper(11)}-${digits(13)}-${hex(64)}`], misses: ['xapp-1-token'] },
  'slack-config-token': {
    hits: [`xoxe.xoxp-1-${alnum(160)}`, `xoxe-1-${alnum(146)}`],
    misses: ['xoxe-1-xxx'],
  },
  'slack-webhook': {
    hits: [`https://hooks.slack.com/services/T${upper(8)}/B${upper(8)}/${alnum(24)}`],
    misses: ['https://hooks.slack.com/services/T0/B0/X'],
  },
  'teams-webhook': {
    hits: [`https://a.webhook.office.com/webhookb2/${uuid()}@${uuid()}/IncomingWebhook/${hex(32)}/${uuid()}`],
    misses: [`https://a.webhook.office.com/webhookb2/${uuid()}`],
  },
  'discord-bot-token': {
    hits: [`${base64url('123456789012345678')}.${alnum(6)}.${alnum(38)}`],
    misses: [`M${alnum(23)}.${alnum(6)}.${alnum(38)}`],
  },
  'discord-webhook': {
    hits: [`https://discord.com/api/webhooks/${digits(18)}/${alnum(68)}`],
    misses: [`https://discord.com/api/webhooks/${digits(18)}`],
  },
  'telegram-bot-token': { hits: [`${digits(9)}:AA${alnum(33)}`], misses: [`${digits(9)}:AA${alnum(10)}`] },
  'stripe-secret-key': {
    hits: [`sk_live_${alnum(24)}`, `rk_live_${alnum(99)}`],
    misses: [`sk_live_${alnum(10)}`],
  },
  'stripe-test-key': { hits: [`sk_test_${alnum(24)}`], misses: [`pk_test_${alnum(24)}`] },
  'stripe-webhook-secret': { hits: [`whsec_${alnum(32)}`], misses: ['whsec_secret'] },
  'twilio-api-key': { hits: [`SK${hex(32)}`], misses: [`SK${hex(30)}`] },
  'twilio-auth-token': { hits: [`TWILIO_AUTH_TOKEN=${hex(32)}`], misses: [hex(32)] },
  'sendgrid-key': { hits: [`SG.${alnum(22)}.${alnum(43)}`], misses: [`SG.${alnum(22)}`] },
  'mailgun-key': { hits: [`key-${hex(32)}`], misses: [`key-${hex(20)}`] },
  'mailgun-private-key': { hits: [`MAILGUN_API_KEY=${hex(32)}-${hex(8)}-${hex(8)}`], misses: [hex(32)] },
  'mailchimp-key': { hits: [`${hex(32)}-us12`], misses: [`${hex(30)}-us12`, `${hex(33)}-us12`] },
  'brevo-key': { hits: [`xkeysib-${hex(64)}-${alnum(16)}`], misses: [`xkeysib-${hex(64)}`] },
  'resend-key': { hits: [`re_${alnum(8)}_${alnum(24)}`], misses: ['re_activate_the_users_account'] },
  'postmark-token': { hits: [`POSTMARK_SERVER_TOKEN=${uuid()}`], misses: [uuid()] },
  'shopify-token': { hits: [`shpat_${hex(32)}`, `shpss_${hex(32)}`], misses: [`shpat_${hex(20)}`] },
  'square-token': { hits: [`sq0atp-${alnum(22)}`, `sq0csp-${alnum(43)}`], misses: ['sq0atp-x'] },
  'square-access-token': { hits: [`EAAA${alnum(60)}`], misses: [`EAAA${alnum(30)}`] },
  'braintree-token': {
    hits: [`access_token$production$${lower(16)}$${hex(32)}`],
    misses: ['access_token$production$x'],
  },
  'paypal-secret': {
    hits: [`PAYPAL_CLIENT_SECRET=E${alnum(79)}`],
    misses: [`PAYPAL_CLIENT_SECRET=E${alnum(20)}`],
  },
  'plaid-token': { hits: [`access-production-${uuid()}`], misses: ['access-production-database'] },
  'plaid-secret': { hits: [`PLAID_SECRET=${hex(30)}`], misses: [`PLAID_SECRET=${hex(10)}`] },
  'facebook-token': { hits: [`EAAC${letters(150)}`], misses: [`EAAC${letters(50)}`] },
  'twitter-bearer-token': { hits: [`${'A'.repeat(20)}${alnum(80)}`], misses: ['A'.repeat(20)] },
  'dropbox-token': { hits: [`sl.${alnum(135)}`, `sl.u.${alnum(140)}`], misses: ['sl.wikipedia'] },
  'contentful-token': { hits: [`CFPAT-${alnum(43)}`], misses: ['CFPAT-TOKEN'] },
  'typeform-token': { hits: [`tfp_${alnum(44)}`], misses: ['tfp_form'] },
  'mapbox-secret-token': {
    hits: [`sk.eyJ1${alnum(60)}.${alnum(22)}`],
    misses: [`pk.eyJ1${alnum(60)}.${alnum(22)}`],
  },
  'easypost-key': { hits: [`EZAK${alnum(54)}`], misses: ['EZAKSHARE'] },
  'adafruit-key': { hits: [`aio_${alnum(28)}`], misses: ['aio_read'] },
  'okta-token': { hits: [`OKTA_API_TOKEN=00${alnum(40)}`], misses: [`OKTA_API_TOKEN=00${'a'.repeat(40)}`] },
}

test.each(rows({ ...developer, ...business }))(
  '%s is found where it stands and only there',
  (rule, { hits, misses }) => {
    for (const hit of hits) expect(rulesIn(scanner, `see ${hit} here`)).toContain(rule)
    for (const miss of misses) expect(rulesIn(scanner, `see ${miss} here`)).not.toContain(rule)
  },
)
