import { DataAwsEksCluster } from '@cdktf/provider-aws/lib/data-aws-eks-cluster/index.js'
import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js'
import { Fn, type TerraformStack } from 'cdktf'
import type { AwsEnvironment } from '../environment.ts'
import { auditBucket, lokiBucket } from '../names.ts'
import { type ClusterAccess, EXEC_API } from '../platform/access.ts'
import { awsBackend } from './backend.ts'

/** EKS Pod Identity goes by the ServiceAccount's name. */
const NOTHING = { annotations: {}, podLabels: {} }

/** The EKS cluster of this environment, for the platform's stack. */
export const awsAccess = (stack: TerraformStack, environment: AwsEnvironment): ClusterAccess => {
  awsBackend(stack, environment, 'platform')
  new AwsProvider(stack, 'aws', {
    region: environment.region,
    allowedAccountIds: [environment.accountId],
    defaultTags: [{ tags: { ...environment.tags } }],
  })
  const cluster = new DataAwsEksCluster(stack, 'cluster', { name: environment.name })
  return {
    host: cluster.endpoint,
    clusterCaCertificate: Fn.base64decode(cluster.certificateAuthority.get(0).data),
    exec: {
      apiVersion: EXEC_API,
      command: 'aws',
      args: ['eks', 'get-token', '--region', environment.region, '--cluster-name', environment.name],
    },
    disks: {
      provisioner: 'ebs.csi.aws.com',
      parameters: {
        type: 'gp3',
        encrypted: 'true',
        kmsKeyId: `arn:aws:kms:${environment.region}:${environment.accountId}:alias/${environment.name}-disks`,
      },
    },
    loki: {
      ...NOTHING,
      kind: 's3',
      settings: { region: environment.region },
      bucket: lokiBucket(environment),
    },
    dns: { ...NOTHING, provider: 'aws', arguments: ['--aws-zone-type=private'] },
    shipper: {
      ...NOTHING,
      remote: {
        TYPE: 's3',
        PROVIDER: 'AWS',
        ENV_AUTH: 'true',
        REGION: environment.region,
        NO_CHECK_BUCKET: 'true',
        // It may not read, not even what it wrote.
        NO_HEAD: 'true',
      },
      target: `${auditBucket(environment)}/audit`,
    },
  }
}
