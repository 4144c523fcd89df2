import {
  DataAwsIamPolicyDocument,
  type DataAwsIamPolicyDocumentStatement,
} from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import { KmsAlias } from '@cdktf/provider-aws/lib/kms-alias/index.js'
import { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js'
import type { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js'
import { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'

/** What the account's own policies may grant. Named one by one, so that a new action of KMS is not granted unseen. */
const ADMINISTRATION = [
  'kms:CreateAlias',
  'kms:CreateGrant',
  'kms:DeleteAlias',
  'kms:DescribeKey',
  'kms:DisableKey',
  'kms:EnableKey',
  'kms:EnableKeyRotation',
  'kms:GetKeyPolicy',
  'kms:GetKeyRotationStatus',
  'kms:ListGrants',
  'kms:ListResourceTags',
  'kms:PutKeyPolicy',
  'kms:RevokeGrant',
  'kms:ScheduleKeyDeletion',
  'kms:CancelKeyDeletion',
  'kms:TagResource',
  'kms:UntagResource',
  'kms:UpdateAlias',
  'kms:UpdateKeyDescription',
]
const USE = [
  'kms:Decrypt',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:GenerateDataKeyWithoutPlaintext',
  'kms:DescribeKey',
]

/** One key for each purpose, so that who may read one thing may not read another. Rotated every year. */
export class AwsKeys extends Construct {
  /** Envelope of Kubernetes Secrets. */
  readonly secrets: KmsKey
  /** Disks of nodes and of volumes. */
  readonly disks: KmsKey
  /** Log groups. */
  readonly logs: KmsKey
  /** Images. */
  readonly registry: KmsKey
  /** Logs that Loki keeps. */
  readonly loki: KmsKey
  /** The audit bucket. Never destroyed: records that nobody can delete must stay readable. */
  readonly audit: KmsKey

  constructor(scope: Construct, environment: AwsEnvironment) {
    super(scope, 'keys')
    const key = (purpose: string, statements: DataAwsIamPolicyDocumentStatement[] = []) =>
      kmsKey(this, { environment, purpose, statements })
    this.secrets = key('secrets')
    this.registry = key('registry')
    this.audit = key('audit')
    this.loki = key('loki')
    this.disks = key('disks', [
      {
        sid: 'NodeGroupsMountEncryptedDisks',
        actions: USE,
        resources: ['*'],
        principals: [autoscaling(environment)],
      },
      {
        sid: 'NodeGroupsGrantDisksToInstances',
        actions: ['kms:CreateGrant'],
        resources: ['*'],
        principals: [autoscaling(environment)],
        condition: [{ test: 'Bool', variable: 'kms:GrantIsForAWSResource', values: ['true'] }],
      },
    ])
    this.logs = key('logs', [
      {
        sid: 'CloudWatchLogsOfThisAccount',
        actions: USE,
        resources: ['*'],
        principals: [{ type: 'Service', identifiers: [`logs.${environment.region}.amazonaws.com`] }],
        condition: [
          {
            test: 'ArnLike',
            variable: 'kms:EncryptionContext:aws:logs:arn',
            values: [`arn:aws:logs:${environment.region}:${environment.accountId}:log-group:*`],
          },
        ],
      },
    ])
  }
}

export interface KmsKeyOptions {
  readonly environment: AwsEnvironment
  readonly purpose: string
  /** Who may use it besides whom IAM lets. */
  readonly statements?: readonly DataAwsIamPolicyDocumentStatement[]
  /** Of another region. */
  readonly provider?: AwsProvider | undefined
}

/** A key that IAM of this account decides over, rotated every year. */
export const kmsKey = (scope: Construct, options: KmsKeyOptions): KmsKey => {
  const { environment, purpose, statements = [], provider } = options
  const elsewhere = provider === undefined ? {} : { provider }
  const policy = new DataAwsIamPolicyDocument(scope, `${purpose}-policy`, {
    // In a key's policy '*' is the key itself.
    statement: [
      {
        sid: 'IamOfThisAccountDecides',
        actions: [...ADMINISTRATION, ...USE.filter((action) => !ADMINISTRATION.includes(action))],
        resources: ['*'],
        principals: [{ type: 'AWS', identifiers: [`arn:aws:iam::${environment.accountId}:root`] }],
      },
      ...statements,
    ],
  })
  const key = new KmsKey(scope, purpose, {
    ...elsewhere,
    description: `${environment.name} ${purpose}`,
    enableKeyRotation: true,
    deletionWindowInDays: 30,
    policy: policy.json,
    lifecycle: { preventDestroy: purpose === 'audit' },
  })
  new KmsAlias(scope, `${purpose}-alias`, {
    ...elsewhere,
    name: `alias/${environment.name}-${purpose}`,
    targetKeyId: key.keyId,
  })
  return key
}

const autoscaling = ({ accountId }: AwsEnvironment) => ({
  type: 'AWS',
  identifiers: [
    `arn:aws:iam::${accountId}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`,
  ],
})
