import { DataAwsIamPolicyDocument } from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import type { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js'
import type { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js'
import { S3BucketOwnershipControls } from '@cdktf/provider-aws/lib/s3-bucket-ownership-controls/index.js'
import { S3BucketPolicy } from '@cdktf/provider-aws/lib/s3-bucket-policy/index.js'
import { S3BucketPublicAccessBlock } from '@cdktf/provider-aws/lib/s3-bucket-public-access-block/index.js'
import { S3BucketServerSideEncryptionConfigurationA } from '@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration/index.js'
import { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket/index.js'
import type { Construct } from 'constructs'

export interface ClosedBucketOptions {
  readonly name: string
  readonly key: KmsKey
  /** With object lock, and kept by `destroy`. */
  readonly locked: boolean
  /** Of another region. */
  readonly provider?: AwsProvider | undefined
}

/** A bucket that is never public, speaks TLS only, and keeps everything under one key. */
export const closedBucket = (
  scope: Construct,
  { name, key, locked, provider }: ClosedBucketOptions,
): S3Bucket => {
  const elsewhere = provider === undefined ? {} : { provider }
  const bucket = new S3Bucket(scope, 'bucket', {
    ...elsewhere,
    bucket: name,
    ...(locked ? { objectLockEnabled: true, lifecycle: { preventDestroy: true } } : {}),
  })
  const block = new S3BucketPublicAccessBlock(scope, 'public-access', {
    ...elsewhere,
    bucket: bucket.id,
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  })
  new S3BucketOwnershipControls(scope, 'ownership', {
    ...elsewhere,
    bucket: bucket.id,
    rule: { objectOwnership: 'BucketOwnerEnforced' },
  })
  new S3BucketServerSideEncryptionConfigurationA(scope, 'encryption', {
    ...elsewhere,
    bucket: bucket.id,
    rule: [
      {
        applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: key.arn },
        bucketKeyEnabled: true,
      },
    ],
  })
  new S3BucketPolicy(scope, 'policy', {
    ...elsewhere,
    bucket: bucket.id,
    policy: new DataAwsIamPolicyDocument(scope, 'policy-document', {
      statement: denials(bucket, { key, locked }),
    }).json,
    dependsOn: [block],
  })
  return bucket
}

const denials = (bucket: S3Bucket, { key, locked }: Pick<ClosedBucketOptions, 'key' | 'locked'>) => {
  const everybody = { effect: 'Deny', principals: [{ type: '*', identifiers: ['*'] }] }
  return [
    {
      ...everybody,
      sid: 'OnlyOverTls',
      actions: ['s3:*'],
      resources: [bucket.arn, `${bucket.arn}/*`],
      condition: [{ test: 'Bool', variable: 'aws:SecureTransport', values: ['false'] }],
    },
    {
      ...everybody,
      // Without a header the bucket's own key is taken, which is the wish.
      sid: 'NoOtherKey',
      actions: ['s3:PutObject'],
      resources: [`${bucket.arn}/*`],
      condition: [
        {
          test: 'StringNotEquals',
          variable: 's3:x-amz-server-side-encryption-aws-kms-key-id',
          values: [key.arn],
        },
        { test: 'Null', variable: 's3:x-amz-server-side-encryption-aws-kms-key-id', values: ['false'] },
      ],
    },
    {
      ...everybody,
      sid: 'NoOtherScheme',
      actions: ['s3:PutObject'],
      resources: [`${bucket.arn}/*`],
      condition: [
        { test: 'StringNotEquals', variable: 's3:x-amz-server-side-encryption', values: ['aws:kms'] },
        { test: 'Null', variable: 's3:x-amz-server-side-encryption', values: ['false'] },
      ],
    },
    ...(locked
      ? [
          {
            ...everybody,
            // The lifecycle takes away what has expired; it asks no policy.
            sid: 'NobodyDeletesVersions',
            actions: ['s3:DeleteObjectVersion'],
            resources: [`${bucket.arn}/*`],
          },
        ]
      : []),
  ]
}
