import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js'
import type { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js'
import { S3BucketLifecycleConfiguration } from '@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js'
import { S3BucketObjectLockConfigurationA } from '@cdktf/provider-aws/lib/s3-bucket-object-lock-configuration/index.js'
import { S3BucketVersioningA } from '@cdktf/provider-aws/lib/s3-bucket-versioning/index.js'
import type { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket/index.js'
import { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import { auditBucket, WORKLOADS } from '../names.ts'
import { closedBucket } from './bucket.ts'
import { podRole } from './iam.ts'

export interface AwsAuditOptions {
  readonly environment: AwsEnvironment
  readonly key: KmsKey
  readonly cluster: EksCluster
}

/** A bucket that takes audit records and gives none away: nobody deletes before the retention ends, the shipper can only add. */
export class AwsAudit extends Construct {
  constructor(scope: Construct, { environment, key, cluster }: AwsAuditOptions) {
    super(scope, 'audit')
    const bucket = closedBucket(this, { name: auditBucket(environment), key, locked: true })
    const versioning = new S3BucketVersioningA(this, 'versioning', {
      bucket: bucket.id,
      versioningConfiguration: { status: 'Enabled' },
    })
    new S3BucketObjectLockConfigurationA(this, 'lock', {
      bucket: bucket.id,
      rule: {
        defaultRetention: {
          mode: environment.audit.lock.toUpperCase(),
          days: environment.audit.retentionDays,
        },
      },
      dependsOn: [versioning],
    })
    this.lifecycle(bucket, environment.audit.retentionDays)
    this.shipper(bucket, { environment, key, cluster })
  }

  private lifecycle(bucket: S3Bucket, retentionDays: number): void {
    new S3BucketLifecycleConfiguration(this, 'lifecycle', {
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
    })
  }

  private shipper(bucket: S3Bucket, { environment, key, cluster }: AwsAuditOptions): void {
    podRole(this, 'shipper', {
      environment,
      cluster,
      workload: WORKLOADS.shipper,
      statements: [
        { sid: 'AddRecords', actions: ['s3:PutObject'], resources: [`${bucket.arn}/audit/*`] },
        // Decrypt is what S3 asks for to put the parts of a large upload together.
        { sid: 'EncryptRecords', actions: ['kms:GenerateDataKey', 'kms:Decrypt'], resources: [key.arn] },
      ],
    })
  }
}
