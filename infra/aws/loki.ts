import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js'
import type { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js'
import { S3BucketLifecycleConfiguration } from '@cdktf/provider-aws/lib/s3-bucket-lifecycle-configuration/index.js'
import { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import { lokiBucket, WORKLOADS } from '../names.ts'
import { closedBucket } from './bucket.ts'
import { podRole } from './iam.ts'

export interface AwsLokiOptions {
  readonly environment: AwsEnvironment
  readonly key: KmsKey
  readonly cluster: EksCluster
}

/** Where Loki keeps its chunks and index, which it alone reads, writes and ends. */
export class AwsLoki extends Construct {
  constructor(scope: Construct, { environment, key, cluster }: AwsLokiOptions) {
    super(scope, 'loki')
    const bucket = closedBucket(this, { name: lokiBucket(environment), key, locked: false })
    new S3BucketLifecycleConfiguration(this, 'lifecycle', {
      bucket: bucket.id,
      rule: [
        {
          id: 'unfinished',
          status: 'Enabled',
          filter: [{ prefix: '' }],
          abortIncompleteMultipartUpload: [{ daysAfterInitiation: 7 }],
        },
      ],
    })
    podRole(this, 'reader', {
      environment,
      cluster,
      workload: WORKLOADS.loki,
      statements: [
        { sid: 'FindChunks', actions: ['s3:ListBucket'], resources: [bucket.arn] },
        {
          sid: 'KeepChunks',
          actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
          resources: [`${bucket.arn}/*`],
        },
        { sid: 'EncryptChunks', actions: ['kms:GenerateDataKey', 'kms:Decrypt'], resources: [key.arn] },
      ],
    })
  }
}
