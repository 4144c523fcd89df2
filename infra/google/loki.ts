import { StorageBucketIamMember } from '@cdktf/provider-google/lib/storage-bucket-iam-member/index.js'
import { StorageBucket } from '@cdktf/provider-google/lib/storage-bucket/index.js'
import { Construct } from 'constructs'
import { lokiBucket, WORKLOADS } from '../names.ts'
import type { GoogleAuditOptions } from './audit.ts'
import { workloadAccount } from './identity.ts'

/** Where Loki keeps its chunks and index, which it alone reads, writes and ends. */
export class GoogleLoki extends Construct {
  constructor(scope: Construct, { environment, keys, after }: GoogleAuditOptions) {
    super(scope, 'loki')
    const bucket = new StorageBucket(this, 'bucket', {
      name: lokiBucket(environment),
      location: environment.region,
      uniformBucketLevelAccess: true,
      publicAccessPrevention: 'enforced',
      forceDestroy: false,
      encryption: { defaultKmsKeyName: keys.id('loki') },
      // Deleted chunks would be paid for a week longer.
      softDeletePolicy: { retentionDurationSeconds: 0 },
      dependsOn: [keys.grant('loki')],
    })
    const account = workloadAccount(this, 'reader', {
      environment,
      workload: WORKLOADS.loki,
      name: 'loki',
      displayName: 'Keeps the logs of Loki',
      after,
    })
    new StorageBucketIamMember(this, 'reader-keeps', {
      bucket: bucket.name,
      role: 'roles/storage.objectUser',
      member: `serviceAccount:${account.email}`,
    })
  }
}
