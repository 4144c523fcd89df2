import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js'
import type { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js'
import { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import { WORKLOADS } from '../names.ts'
import { AwsAuditReplica } from './audit-replica.ts'
import { podRole } from './iam.ts'
import { lockedBucket } from './locked-bucket.ts'

export interface AwsAuditOptions {
  readonly environment: AwsEnvironment
  readonly key: KmsKey
  readonly cluster: EksCluster
}

/** A bucket that takes audit records and gives none away: nobody deletes before the retention ends, the shipper can only add. */
export class AwsAudit extends Construct {
  constructor(scope: Construct, { environment, key, cluster }: AwsAuditOptions) {
    super(scope, 'audit')
    const { bucket, versioning } = lockedBucket(this, { environment, key })
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
    if (environment.auditReplicaRegion !== undefined)
      new AwsAuditReplica(this, {
        environment,
        region: environment.auditReplicaRegion,
        key,
        bucket,
        after: versioning,
      })
  }
}
