import type { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js'
import type { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js'
import { S3BucketLifecycleConfiguration } from '@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js'
import { S3BucketObjectLockConfigurationA } from '@cdktf/provider-aws/lib/s3-bucket-object-lock-configuration/index.js'
import { S3BucketVersioningA } from '@cdktf/provider-aws/lib/s3-bucket-versioning/index.js'
import type { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket/index.js'
import type { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import { auditBucket } from '../names.ts'
import { closedBucket } from './bucket.ts'

export interface LockedBucketOptions {
  readonly environment: AwsEnvironment
  readonly key: KmsKey
  /** Of another region: then it is the copy. */
  readonly provider?: AwsProvider
}

export interface LockedBucket {
  readonly bucket: S3Bucket
  /** What must be there before anything is copied. */
  readonly versioning: S3BucketVersioningA
}

/** A bucket whose objects nobody deletes or changes before the retention ends. */
export const lockedBucket = (
  scope: Construct,
  { environment, key, provider }: LockedBucketOptions,
): LockedBucket => {
  const { retentionDays, lock } = environment.audit
  const elsewhere = provider === undefined ? {} : { provider }
  const name = `${auditBucket(environment)}${provider === undefined ? '' : '-copy'}`
  const bucket = closedBucket(scope, { name, key, locked: true, provider })
  const versioning = new S3BucketVersioningA(scope, 'versioning', {
    ...elsewhere,
    bucket: bucket.id,
    versioningConfiguration: { status: 'Enabled' },
  })
  new S3BucketObjectLockConfigurationA(scope, 'lock', {
    ...elsewhere,
    bucket: bucket.id,
    rule: { defaultRetention: { mode: lock.toUpperCase(), days: retentionDays } },
    dependsOn: [versioning],
  })
  new S3BucketLifecycleConfiguration(scope, 'lifecycle', {
    ...elsewhere,
    bucket: bucket.id,
    rule: [
      {
        id: 'audit',
        status: 'Enabled',
        filter: [{ prefix: '' }],
        // Records are read seldom after a quarter.
        transition: [{ days: 90, storageClass: 'GLACIER_IR' }],
        expiration: [{ days: retentionDays + 1 }],
        noncurrentVersionExpiration: [{ noncurrentDays: 1 }],
        abortIncompleteMultipartUpload: [{ daysAfterInitiation: 7 }],
      },
    ],
    dependsOn: [versioning],
  })
  return { bucket, versioning }
}
