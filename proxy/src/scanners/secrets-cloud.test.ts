import { expect, test } from '@jest/globals'
import { compileScanner } from '../text/scanner.ts'
import { chars, rows, rulesIn, type Samples } from './samples.ts'
import { cloudSecretRules } from './secrets-cloud.ts'

const { alnum, digits, hex, lower, upper, uuid } = chars
const scanner = compileScanner({ name: 'cloud', tables: [{ category: 'secret', rules: cloudSecretRules }] })

// A key of 32 zero bytes, encoded by the reference implementation of age.
const AGE = `AGE-SECRET-KEY-1${'Q'.repeat(52)}`

const samples: Record<keyof typeof cloudSecretRules, Samples> = {
  'aws-access-key': {
    hits: [`AKIA${upper(16)}`, `ASIA${upper(16)}`],
    misses: [`AKIA${upper(15)}`, `xAKIA${upper(16)}`, `AKIA${'X'.repeat(16)}`],
  },
  'aws-secret-key': {
    hits: [`aws_secret_key = "${alnum(40)}"`, `AWS_SECRET: ${alnum(40)}`],
    misses: [`aws_secret_key = "${alnum(39)}"`, `aws_secret_key = ${'a'.repeat(40)}`, alnum(40)],
  },
  'aws-secret-access-key': {
    hits: [`SecretAccessKey": "${alnum(40)}"`, `aws_secret_access_key=${alnum(40)}`],
    misses: [`aws_secret_access_key=${'x'.repeat(40)}`, `aws_secret_access_key=${alnum(41)}`],
  },
  'aws-session-token': {
    hits: [`aws_session_token=${alnum(200)}`],
    misses: [`aws_session_token=${alnum(40)}`],
  },
  'aws-bedrock-key': { hits: [`ABSK${alnum(120)}=`], misses: [`ABSK${alnum(60)}`] },
  'aws-mws-key': { hits: [`amzn.mws.${uuid()}`], misses: ['amzn.mws.key'] },
  'google-api-key': { hits: [`AIza${alnum(35)}`], misses: [`AIza${alnum(30)}`, `AIza${'x'.repeat(35)}`] },
  'google-oauth-client-secret': { hits: [`GOCSPX-${alnum(28)}`], misses: [`GOCSPX-${alnum(20)}`] },
  'google-oauth-token': { hits: [`ya29.${alnum(60)}`], misses: ['ya29.short'] },
  'google-refresh-token': { hits: [`1//0${alnum(60)}`], misses: ['1//0x'] },
  'gcp-service-account-key': {
    hits: [`{"private_key_id": "${hex(40)}"}`],
    misses: [`{"private_key_id": "${hex(20)}"}`, hex(40)],
  },
  'azure-storage-key': {
    hits: [`AccountName=a;AccountKey=${alnum(86)}==;`, `SharedAccessKey=${alnum(43)}=`],
    misses: ['AccountKey=<YOUR_ACCOUNT_KEY>;', 'AccountKey=X;'],
  },
  'azure-app-configuration-secret': {
    hits: [`Endpoint=https://a.azconfig.io;Id=AB-l0-s0:x1;Secret=${alnum(43)}=`],
    misses: ['Endpoint=https://a.azconfig.io;Id=xxx;Secret=xxx'],
  },
  'azure-annotated-key': {
    hits: [`${alnum(52)}JQQJ99${alnum(26)}`, `${alnum(52)}JQQJ9D${alnum(26)}`],
    misses: [`${alnum(20)}JQQJ99${alnum(26)}`],
  },
  'azure-devops-token': { hits: [`${alnum(76)}AZDO${alnum(4)}`], misses: [`${alnum(70)}AZDO${alnum(4)}`] },
  'azure-function-key': {
    hits: [`${alnum(44)}AzFu${alnum(5)}Q==`],
    misses: [`${alnum(12)}AzFu${alnum(5)}Q==`],
  },
  'azure-search-key': { hits: [`${alnum(42)}AzSeA${alnum(5)}`], misses: [`${alnum(42)}AzSeZ${alnum(5)}`] },
  'azure-registry-password': { hits: [`${alnum(42)}+ACRA${alnum(5)}`], misses: [`+ACRA${alnum(5)}`] },
  'azure-sas-signature': { hits: [`https://a.example/b?sv=1&sig=${alnum(44)}%3D`], misses: ['?sig=abc%3D'] },
  'azure-client-secret': { hits: [`${alnum(3)}8Q~${alnum(34)}`], misses: [`${alnum(3)}8Q~${alnum(20)}`] },
  'alibaba-access-key': { hits: [`LTAI${alnum(20)}`], misses: [`LTAI${alnum(8)}`] },
  'tencent-secret-id': { hits: [`AKID${alnum(32)}`], misses: [`AKID${alnum(12)}`] },
  'yandex-api-key': { hits: [`AQVN${alnum(36)}`], misses: [`AQVN${alnum(10)}`] },
  'digitalocean-token': { hits: [`dop_v1_${hex(64)}`, `dor_v1_${hex(64)}`], misses: [`dop_v1_${hex(63)}`] },
  'heroku-api-key': { hits: [`HRKU-AA${alnum(58)}`], misses: [`HRKU-AA${alnum(20)}`] },
  'heroku-legacy-key': { hits: [`HEROKU_API_KEY=${uuid()}`], misses: [uuid()] },
  'cloudflare-api-token': { hits: [`cfat_${alnum(48)}`, `cfut_${alnum(48)}`], misses: [`cfat_${alnum(20)}`] },
  'cloudflare-api-key': {
    hits: [`CLOUDFLARE_API_KEY="${alnum(37)}"`],
    misses: ['CLOUDFLARE_API_KEY=your_cloudflare_api_key_goes_here_ok1'],
  },
  'cloudflare-origin-ca-key': { hits: [`v1.0-${hex(24)}-${hex(146)}`], misses: [`v1.0-${hex(24)}`] },
  'fastly-api-token': { hits: [`FASTLY_API_TOKEN=${alnum(32)}`], misses: [`FASTLY_API_TOKEN=${alnum(20)}`] },
  'terraform-cloud-token': {
    hits: [`${alnum(14)}.atlasv1.${alnum(67)}`],
    misses: [`${'x'.repeat(14)}.atlasv1.${'x'.repeat(67)}`],
  },
  'vault-token': { hits: [`hvs.${alnum(90)}`, `hvb.${alnum(30)}`], misses: ['hvs.short'] },
  'vault-legacy-token': {
    hits: [`VAULT_TOKEN=s.${alnum(24)}`],
    misses: ['vault s.removeTransientObservers()'],
  },
  'databricks-token': { hits: [`dapi${hex(32)}`, `dapi${hex(32)}-2`], misses: [`dapi${hex(30)}`] },
  'snowflake-password': {
    hits: [`SNOWFLAKE_PASSWORD='${alnum(14)}'`],
    misses: ["SNOWFLAKE_PASSWORD='changeme'"],
  },
  'supabase-token': { hits: [`sbp_${hex(40)}`, `sbp_v0_${hex(40)}`], misses: [`sbp_${hex(39)}`] },
  'supabase-secret-key': { hits: [`sb_secret_${alnum(31)}`], misses: ['sb_secret_key'] },
  'planetscale-token': { hits: [`pscale_tkn_${alnum(43)}`], misses: ['pscale_tkn_abc'] },
  'neon-api-key': { hits: [`napi_${lower(64)}`], misses: [`napi_${lower(20)}`] },
  'fly-token': { hits: [`fm2_${alnum(120)}=`], misses: [`fm2_${alnum(40)}`] },
  'fly-personal-token': { hits: [`fo1_${alnum(43)}`], misses: [`fo1_${'x'.repeat(43)}`] },
  'netlify-token': { hits: [`nfp_${alnum(36)}`], misses: [`nfp_${alnum(22)}testEXAMPLE`] },
  'vercel-token': { hits: [`vcp_${alnum(56)}`], misses: [`vcp_${alnum(40)}`] },
  'render-api-key': { hits: [`rnd_${alnum(28)}`], misses: ['rnd_number'] },
  'pulumi-token': { hits: [`pul-${hex(40)}`], misses: [`pul-${hex(39)}`] },
  'doppler-token': { hits: [`dp.pt.${alnum(43)}`], misses: ['dp.pt.token'] },
  'infisical-token': { hits: [`st.${hex(24)}.${hex(32)}.${hex(32)}`], misses: [`st.${hex(24)}`] },
  'onepassword-service-token': { hits: [`ops_eyJ${alnum(300)}`], misses: ['ops_eyJzaWduSW5B..[Redacted]'] },
  'onepassword-secret-key': {
    hits: [`A3-${upper(6)}-${upper(6)}-${upper(5)}-${upper(5)}-${upper(5)}-${upper(5)}`],
    misses: ['A3-XXXXXX-XXXXXX-XXXXX-XXXXX-XXXXX-XXXXX'],
  },
  'tailscale-key': { hits: [`tskey-auth-${alnum(12)}-${alnum(32)}`], misses: ['tskey-auth-key'] },
  'openshift-token': { hits: [`sha256~${alnum(43)}`], misses: [`sha256~${'X'.repeat(43)}`] },
  'docker-swarm-token': { hits: [`SWMTKN-1-${lower(50)}-${lower(25)}`], misses: [`SWMTKN-1-${lower(50)}`] },
  'docker-swarm-key': { hits: [`SWMKEY-1-${alnum(43)}`], misses: [`SWMKEY-1-${alnum(20)}`] },
  'age-secret-key': {
    hits: [`${AGE}${ageChecksum(AGE)}`],
    misses: [`${AGE}QQQQQQ`, `AGE-SECRET-KEY-1${digits(58)}`],
  },
}

/** BIP 173, computed here on its own: six characters that make the polynomial 1. */
function ageChecksum(text: string): string {
  const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
  const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
  const [name = '', data = ''] = text.toLowerCase().split(/1(?=[^1]*$)/)
  const codes = Array.from(name, (character) => character.charCodeAt(0))
  const values = [
    ...codes.map((code) => code >> 5),
    0,
    ...codes.map((code) => code & 31),
    ...Array.from(data, (character) => alphabet.indexOf(character)),
    ...[0, 0, 0, 0, 0, 0],
  ]
  let sum = 1
  for (const value of values) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (let i = 0; i < 5; i++) if ((top >>> i) & 1) sum ^= generators[i]!
  }
  sum ^= 1
  return [25, 20, 15, 10, 5, 0]
    .map((shift) => alphabet[(sum >>> shift) & 31])
    .join('')
    .toUpperCase()
}

test.each(rows(samples))('%s is found where it stands and only there', (rule, { hits, misses }) => {
  for (const hit of hits) expect(rulesIn(scanner, `see ${hit} here`)).toContain(rule)
  for (const miss of misses) expect(rulesIn(scanner, `see ${miss} here`)).not.toContain(rule)
})
