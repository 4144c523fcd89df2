import { StorageBucketIamMember } from '@cdktf/provider-google/lib/storage-bucket-iam-member/index.js'
import { StorageBucket } from '@cdktf/provider-google/lib/storage-bucket/index.js'
import type { ITerraformDependable } from 'cdktf'
import { Construct } from 'constructs'
import type { GoogleEnvironment } from '../environment.ts'
import { auditBucket, WORKLOADS } from '../names.ts'
import { workloadAccount } from './identity.ts'
import type { GoogleKeys } from './keys.ts'

const DAY = 24 * 3600

export interface GoogleAuditOptions {
  readonly environment: GoogleEnvironment
  readonly keys: GoogleKeys
  /** The cluster, which makes the pool of identities. */
  readonly after: ITerraformDependable
}

/** A bucket that takes audit records and gives none away: nobody deletes before the retention ends, the shipper can only add. */
export class GoogleAudit extends Construct {
  constructor(scope: Construct, { environment, keys, after }: GoogleAuditOptions) {
    super(scope, 'audit')
    const { retentionDays, lock } = environment.audit
    const bucket = new StorageBucket(this, 'bucket', {
      name: auditBucket(environment),
      location: environment.region,
      uniformBucketLevelAccess: true,
      publicAccessPrevention: 'enforced',
      forceDestroy: false,
      encryption: { defaultKmsKeyName: keys.id('audit') },
      retentionPolicy: { retentionPeriod: retentionDays * DAY, isLocked: lock === 'compliance' },
      lifecycleRule: [
        { action: { type: 'SetStorageClass', storageClass: 'COLDLINE' }, condition: { age: 90 } },
        { action: { type: 'Delete' }, condition: { age: retentionDays + 1 } },
      ],
      dependsOn: [keys.grant('audit')],
      lifecycle: { preventDestroy: true },
    })
    const account = workloadAccount(this, 'shipper', {
      environment,
      workload: WORKLOADS.shipper,
      name: 'audit',
      displayName: 'Adds audit records to the bucket',
      after,
    })
    new StorageBucketIamMember(this, 'shipper-adds', {
      bucket: bucket.name,
      // Create without read, list, overwrite or delete.
      role: 'roles/storage.objectCreator',
      member: `serviceAccount:${account.email}`,
    })
  }
}
