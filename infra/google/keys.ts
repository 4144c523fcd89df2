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
  registry: 'gcp-sa-artifactregistry',
} as const

type Purpose = keyof typeof AGENTS

/** One key for each purpose, rotated every 90 days. Google Cloud never deletes a key ring, so its name is taken for good. */
export class GoogleKeys extends Construct {
  private readonly keys: ReadonlyMap<
    Purpose,
    { readonly key: KmsCryptoKey; readonly agent: KmsCryptoKeyIamMember }
  >

  constructor(scope: Construct, environment: GoogleEnvironment) {
    super(scope, 'keys')
    const ring = new KmsKeyRing(this, 'ring', { name: environment.name, location: environment.region })
    this.keys = new Map(
      (Object.keys(AGENTS) as Purpose[]).map((purpose) => [purpose, this.key(environment, ring, purpose)]),
    )
  }

  id(purpose: Purpose): string {
    return this.find(purpose).key.id
  }

  /** What has to exist before something is encrypted with the key. */
  grant(purpose: Purpose): KmsCryptoKeyIamMember {
    return this.find(purpose).agent
  }

  private find(purpose: Purpose) {
    const found = this.keys.get(purpose)
    if (found === undefined) throw new RangeError(`There is no key for ${purpose}.`)
    return found
  }

  private key(environment: GoogleEnvironment, ring: KmsKeyRing, purpose: Purpose) {
    const key = new KmsCryptoKey(this, purpose, {
      name: purpose,
      keyRing: ring.id,
      purpose: 'ENCRYPT_DECRYPT',
      rotationPeriod: `${90 * 24 * 3600}s`,
      // What was encrypted with a destroyed key is gone.
      lifecycle: { preventDestroy: true },
    })
    const agent = new KmsCryptoKeyIamMember(this, `${purpose}-agent`, {
      cryptoKeyId: key.id,
      role: 'roles/cloudkms.cryptoKeyEncrypterDecrypter',
      member: `serviceAccount:service-${environment.projectNumber}@${AGENTS[purpose]}.iam.gserviceaccount.com`,
    })
    return { key, agent }
  }
}
