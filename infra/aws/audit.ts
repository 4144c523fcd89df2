import { DataAwsIamPolicyDocument } from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js'
import { EksPodIdentityAssociation } from '@cdktf/provider-aws/lib/eks-pod-identity-association/index.js'
import type { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js'
import { S3BucketLifecycleConfiguration } from '@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js'
import { S3BucketObjectLockConfigurationA } from '@cdktf/provider-aws/lib/s3-bucket-object-lock-configuration/index.js'
import { S3BucketOwnershipControls } from '@cdktf/provider-aws/lib/s3-bucket-ownership-controls/index.js'
import { S3BucketPolicy } from '@cdktf/provider-aws/lib/s3-bucket-policy/index.js'
import { S3BucketPublicAccessBlock } from '@cdktf/provider-aws/lib/s3-bucket-public-access-block/index.js'
import { S3BucketServerSideEncryptionConfigurationA } from '@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration/index.js'
import { S3BucketVersioningA } from '@cdktf/provider-aws/lib/s3-bucket-versioning/index.js'
import { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket/index.js'
import { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import { auditBucket, SHIPPER } from '../names.ts'
import { serviceRole } from './iam.ts'

export interface AwsAuditOptions {
  readonly environment: AwsEnvironment
  readonly key: KmsKey
  readonly cluster: EksCluster
}

/** A bucket that takes audit records and gives none away: nobody deletes before the retention ends, the shipper can only add. */
export class AwsAudit extends Construct {
  constructor(scope: Construct, { environment, key, cluster }: AwsAuditOptions) {
    super(scope, 'audit')
    const bucket = new S3Bucket(this, 'bucket', {
      bucket: auditBucket(environment),
      objectLockEnabled: true,
      lifecycle: { preventDestroy: true },
    })
    this.close(bucket)
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
    new S3BucketServerSideEncryptionConfigurationA(this, 'encryption', {
      bucket: bucket.id,
      rule: [
        {
          applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: key.arn },
          bucketKeyEnabled: true,
        },
      ],
    })
    this.lifecycle(bucket, environment.audit.retentionDays)
    this.shipper(bucket, { environment, key, cluster })
  }

  private close(bucket: S3Bucket): void {
    const block = new S3BucketPublicAccessBlock(this, 'public-access', {
      bucket: bucket.id,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    })
    new S3BucketOwnershipControls(this, 'ownership', {
      bucket: bucket.id,
      rule: { objectOwnership: 'BucketOwnerEnforced' },
    })
    new S3BucketPolicy(this, 'policy', {
      bucket: bucket.id,
      policy: new DataAwsIamPolicyDocument(this, 'policy-document', {
        statement: [
          {
            sid: 'OnlyOverTls',
            effect: 'Deny',
            actions: ['s3:*'],
            resources: [bucket.arn, `${bucket.arn}/*`],
            principals: [{ type: '*', identifiers: ['*'] }],
            condition: [{ test: 'Bool', variable: 'aws:SecureTransport', values: ['false'] }],
          },
        ],
      }).json,
      dependsOn: [block],
    })
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
    const role = serviceRole(this, 'shipper', {
      name: `${environment.name}-audit-shipper`,
      service: 'pods.eks.amazonaws.com',
      taker: 'pods',
      accountId: environment.accountId,
      statements: [
        { sid: 'AddRecords', actions: ['s3:PutObject'], resources: [`${bucket.arn}/audit/*`] },
        // Decrypt is what S3 asks for to put the parts of a large upload together.
        { sid: 'EncryptRecords', actions: ['kms:GenerateDataKey', 'kms:Decrypt'], resources: [key.arn] },
      ],
    })
    new EksPodIdentityAssociation(this, 'shipper-identity', {
      clusterName: cluster.name,
      namespace: SHIPPER.namespace,
      serviceAccount: SHIPPER.serviceAccount,
      roleArn: role.arn,
    })
  }
}
