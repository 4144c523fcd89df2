import { KmsCryptoKeyIamMember } from '@cdktf/provider-google/lib/kms-crypto-key-iam-member/index.js'
import { KmsCryptoKey } from '@cdktf/provider-google/lib/kms-crypto-key/index.js'
import { KmsKeyRing } from '@cdktf/provider-google/lib/kms-key-ring/index.js'
import { Construct } from 'constructs'
import type { GoogleEnvironment } from '../environment.ts'

/** The service agent that uses each key, as Google names it: `service-<project number>@<this>.iam.gserviceaccount.com`. */
const AGENTS = {
  secrets: 'container-engine-robot',
  disks: 'compute-system',
  audit: 'gs-project-accounts',
  loki: 'gs-project-accounts',
  registry: 'gcp-sa-artifactregistry',
  // Whose it is Google says when asked: see logs.ts.
  logs: undefined,
} as const

type Purpose = keyof typeof AGENTS
type Agent = { readonly [P in Purpose]: (typeof AGENTS)[P] extends string ? P : never }[Purpose]

/** One key for each purpose, rotated every 90 days. Google Cloud never deletes a key ring, so its name is taken for good. */
export class GoogleKeys extends Construct {
  private readonly keys: ReadonlyMap<Purpose, KmsCryptoKey>
  private readonly grants: ReadonlyMap<Purpose, KmsCryptoKeyIamMember>

  constructor(scope: Construct, environment: GoogleEnvironment) {
    super(scope, 'keys')
    const ring = new KmsKeyRing(this, 'ring', { name: environment.name, location: environment.region })
    const purposes = Object.keys(AGENTS) as Purpose[]
    this.keys = new Map(purposes.map((purpose) => [purpose, this.key(ring, purpose)]))
    this.grants = new Map(
      purposes.flatMap((purpose) => {
        const agent = AGENTS[purpose]
        return agent === undefined
          ? []
          : [
              [
                purpose,
                this.allow(purpose, `service-${environment.projectNumber}@${agent}.iam.gserviceaccount.com`),
              ] as const,
            ]
      }),
    )
  }

  id(purpose: Purpose): string {
    return found(this.keys, purpose).id
  }

  /** What has to exist before something is encrypted with the key. */
  grant(purpose: Agent): KmsCryptoKeyIamMember {
    return found(this.grants, purpose)
  }

  /** Lets a service account encrypt and decrypt with this one key. */
  allow(purpose: Purpose, email: string): KmsCryptoKeyIamMember {
    return new KmsCryptoKeyIamMember(this, `${purpose}-agent`, {
      cryptoKeyId: this.id(purpose),
      role: 'roles/cloudkms.cryptoKeyEncrypterDecrypter',
      member: `serviceAccount:${email}`,
    })
  }

  private key(ring: KmsKeyRing, purpose: Purpose): KmsCryptoKey {
    return new KmsCryptoKey(this, purpose, {
      name: purpose,
      keyRing: ring.id,
      purpose: 'ENCRYPT_DECRYPT',
      rotationPeriod: `${90 * 24 * 3600}s`,
      // What was encrypted with a destroyed key is gone.
      lifecycle: { preventDestroy: true },
    })
  }
}

const found = <T>(kept: ReadonlyMap<Purpose, T>, purpose: Purpose): T => {
  const one = kept.get(purpose)
  if (one === undefined) throw new RangeError(`There is no key for ${purpose}.`)
  return one
}
