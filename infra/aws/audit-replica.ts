import type { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js'
import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js'
import { S3BucketReplicationConfigurationA } from '@cdktf/provider-aws/lib/s3-bucket-replication-configuration/index.js'
import type { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket/index.js'
import type { ITerraformDependable } from 'cdktf'
import { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import { serviceRole } from './iam.ts'
import { kmsKey } from './keys.ts'
import { lockedBucket } from './locked-bucket.ts'

export interface AwsAuditReplicaOptions {
  readonly environment: AwsEnvironment
  readonly region: string
  /** Key and bucket of the records. */
  readonly key: KmsKey
  readonly bucket: S3Bucket
  readonly after: ITerraformDependable
}

/** A copy of every record in another region, under a key of that region, locked until the same day. Deletions are not copied. */
export class AwsAuditReplica extends Construct {
  constructor(scope: Construct, options: AwsAuditReplicaOptions) {
    super(scope, 'replica')
    const { environment, region, bucket, after } = options
    const provider = new AwsProvider(this, 'provider', {
      alias: 'replica',
      region,
      allowedAccountIds: [environment.accountId],
      defaultTags: [{ tags: { ...environment.tags } }],
    })
    const key = kmsKey(this, { environment, purpose: 'audit', provider })
    const copy = lockedBucket(this, { environment, key, provider })
    const role = this.role(options, { key, bucket: copy.bucket })
    new S3BucketReplicationConfigurationA(this, 'replication', {
      bucket: bucket.id,
      role: role.arn,
      rule: [
        {
          id: 'audit',
          status: 'Enabled',
          priority: 1,
          filter: { prefix: '' },
          deleteMarkerReplication: { status: 'Disabled' },
          sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: 'Enabled' } },
          destination: {
            bucket: copy.bucket.arn,
            storageClass: 'STANDARD_IA',
            encryptionConfiguration: { replicaKmsKeyId: key.arn },
          },
        },
      ],
      // A bucket with a lock is copied into one with versions and a lock only.
      dependsOn: [after, copy.versioning],
    })
  }

  /** S3 may read records with their locks, and add them on the other side; it may delete nothing. */
  private role(
    { environment, key, bucket }: AwsAuditReplicaOptions,
    copy: { readonly key: KmsKey; readonly bucket: S3Bucket },
  ) {
    return serviceRole(this, 'role', {
      name: `${environment.name}-audit-replica`,
      service: 's3.amazonaws.com',
      accountId: environment.accountId,
      statements: [
        {
          sid: 'FindRecords',
          actions: ['s3:GetReplicationConfiguration', 's3:ListBucket'],
          resources: [bucket.arn],
        },
        {
          sid: 'ReadRecordsAndLocks',
          actions: [
            's3:GetObjectVersionForReplication',
            's3:GetObjectVersionAcl',
            's3:GetObjectVersionTagging',
            's3:GetObjectRetention',
            's3:GetObjectLegalHold',
          ],
          resources: [`${bucket.arn}/*`],
        },
        {
          sid: 'AddCopies',
          actions: ['s3:ReplicateObject', 's3:ReplicateTags'],
          resources: [`${copy.bucket.arn}/*`],
        },
        { sid: 'Decrypt', actions: ['kms:Decrypt'], resources: [key.arn] },
        { sid: 'Encrypt', actions: ['kms:Encrypt', 'kms:GenerateDataKey'], resources: [copy.key.arn] },
      ],
    })
  }
}
