import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { JsonObject } from '../../../core/json.ts'
import type { Policy } from '../bundle.ts'
import type { PolicyConfigMap } from '../collect.ts'
import type { SigningKey } from '../signature.ts'

/** The folder of the base policies. */
export const policies = resolve(import.meta.dirname, '../../../../../policies')

const generated = resolve(import.meta.dirname, '../../../policy/generated')

/** What is compiled into the program. */
export const builtIn: Policy = {
  wasm: readFileSync(join(generated, 'policy.wasm')),
  data: JSON.parse(readFileSync(join(generated, 'data.json'), 'utf8')) as JsonObject,
}

/** Where the real OPA is; undefined when it is not on this machine. */
export const opa: string | undefined = [
  ...(process.env.PATH ?? '').split(':'),
  join(process.env.GOPATH ?? join(homedir(), 'go'), 'bin'),
  join(homedir(), 'go', 'bin'),
]
  .map((place) => join(place, 'opa'))
  .find((path) => existsSync(path))

export const configMap = (name: string, data: Readonly<Record<string, string>>): PolicyConfigMap => ({
  name,
  data,
  binaryKeys: [],
})

export const signingKey = (): SigningKey & { readonly publicKeyPem: string } => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    keyid: 'postern',
    privateKey,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  }
}

export const ADMIN_ISSUER = `package postern.rules.admin_issuer

deny contains "admin_issuer" if {
	"admin" in input.caller.roles
	not _trusted
}

_trusted if input.caller.via == "jwt:corp"
`

export const ADMIN_ISSUER_TEST = `package postern.rules.admin_issuer_test

import data.postern.asked_test as asked
import data.postern.rules.admin_issuer as rule

test_the_corporate_issuer_is_no_reason if {
	rule.deny == set() with input as asked.with_changes({"caller": {"roles": ["admin"]}})
}

test_another_identifier_is_denied if {
	changes := {"caller": {"roles": ["admin"], "via": "api-key"}}
	rule.deny == {"admin_issuer"} with input as asked.with_changes(changes)
}
`
