import {
  DataAwsIamPolicyDocument,
  type DataAwsIamPolicyDocumentStatement,
} from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import { IamRolePolicyAttachment } from '@cdktf/provider-aws/lib/iam-role-policy-attachment/index.js'
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js'
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js'
import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js'
import { EksPodIdentityAssociation } from '@cdktf/provider-aws/lib/eks-pod-identity-association/index.js'
import type { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import type { Workload } from '../names.ts'

export interface ServiceRoleOptions {
  readonly name: string
  /** Who may take the role, such as `eks.amazonaws.com`. */
  readonly service: string
  /** The role can be taken on behalf of this account only. Left out for services that do not say on whose behalf. */
  readonly accountId?: string
  readonly statements?: DataAwsIamPolicyDocumentStatement[]
  /** Names of policies that AWS keeps. */
  readonly managed?: readonly string[]
  /** EKS Pod Identity may hand the role to this ServiceAccount of this cluster and no other, whoever associates it. */
  readonly pod?: Workload & { readonly cluster: string }
}

/** A role that one AWS service may take, with the statements given and nothing else. */
export const serviceRole = (scope: Construct, id: string, options: ServiceRoleOptions): IamRole => {
  const trust = new DataAwsIamPolicyDocument(scope, `${id}-trust`, {
    statement: [
      {
        actions: options.pod === undefined ? ['sts:AssumeRole'] : ['sts:AssumeRole', 'sts:TagSession'],
        principals: [{ type: 'Service', identifiers: [options.service] }],
        condition: Object.entries({
          'aws:SourceAccount': options.accountId,
          'aws:RequestTag/eks-cluster-name': options.pod?.cluster,
          'aws:RequestTag/kubernetes-namespace': options.pod?.namespace,
          'aws:RequestTag/kubernetes-service-account': options.pod?.serviceAccount,
        }).flatMap(([variable, wanted]) =>
          wanted === undefined ? [] : [{ test: 'StringEquals', variable, values: [wanted] }],
        ),
      },
    ],
  })
  const role = new IamRole(scope, id, { name: options.name, assumeRolePolicy: trust.json })
  if (options.statements !== undefined)
    new IamRolePolicy(scope, `${id}-policy`, {
      name: options.name,
      role: role.id,
      policy: new DataAwsIamPolicyDocument(scope, `${id}-document`, { statement: options.statements }).json,
    })
  for (const policy of options.managed ?? [])
    new IamRolePolicyAttachment(scope, `${id}-${policy.replace('service-role/', '')}`, {
      role: role.name,
      policyArn: `arn:aws:iam::aws:policy/${policy}`,
    })
  return role
}

export interface PodRoleOptions {
  readonly environment: AwsEnvironment
  readonly cluster: EksCluster
  readonly workload: Workload
  readonly statements: DataAwsIamPolicyDocumentStatement[]
}

/** The identity of one ServiceAccount of the cluster, by EKS Pod Identity. */
export const podRole = (scope: Construct, id: string, options: PodRoleOptions): void => {
  const { environment, cluster, workload, statements } = options
  const role = serviceRole(scope, id, {
    name: `${environment.name}-${workload.serviceAccount}`,
    service: POD_IDENTITY,
    pod: { ...workload, cluster: environment.name },
    accountId: environment.accountId,
    statements,
  })
  new EksPodIdentityAssociation(scope, `${id}-identity`, {
    clusterName: cluster.name,
    namespace: workload.namespace,
    serviceAccount: workload.serviceAccount,
    roleArn: role.arn,
  })
}

/** Hands roles to pods. */
export const POD_IDENTITY = 'pods.eks.amazonaws.com'
