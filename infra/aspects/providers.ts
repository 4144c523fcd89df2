import { Annotations, type IAspect, TerraformProvider } from 'cdktf'
import type { Attributes } from './visit.ts'

/** What a provider takes as a credential, by any of its names. */
const CREDENTIAL =
  /^(access_key|secret_key|(access_|id_|oidc_)?token|password|client_secret|client_key|client_certificate(_password)?|credentials|impersonate_service_account)$/

/** An aspect: who applies brings a credential of its own, and asks nobody whose certificate it does not know. */
export const noCredentials: IAspect = {
  visit: (node) => {
    if (!(node instanceof TerraformProvider)) return
    const { provider } = node.toTerraform() as { provider: Record<string, readonly Attributes[]> }
    for (const name of Object.values(provider).flat().flatMap(names))
      Annotations.of(node).addError(
        name === 'insecure'
          ? 'take insecure away: whoever answers would be believed.'
          : `take ${name} away: what is written here is in the state and in the JSON; log in where it is applied.`,
      )
  },
}

/** Names at any depth that hold a credential, or that switch certificates off. */
const names = (found: unknown): string[] =>
  typeof found !== 'object' || found === null
    ? []
    : Object.entries(found).flatMap(([name, inner]) => [
        ...((CREDENTIAL.test(name) && inner !== undefined && inner !== null) ||
        (name === 'insecure' && inner === true)
          ? [name]
          : []),
        ...names(inner),
      ])
