import {
  DataAwsIamPolicyDocument,
  type DataAwsIamPolicyDocumentStatement,
} from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import { IamRolePolicyAttachment } from '@cdktf/provider-aws/lib/iam-role-policy-attachment/index.js'
import { IamRolePolicy } from '@cdktf/provider-aws/lib/iam-role-policy/index.js'
import { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js'
import type { Construct } from 'constructs'

export interface ServiceRoleOptions {
  readonly name: string
  /** Who may take the role, such as `eks.amazonaws.com`. */
  readonly service: string
  /** The role can be taken on behalf of this account only. Left out for services that do not say on whose behalf. */
  readonly accountId?: string
  readonly statements?: DataAwsIamPolicyDocumentStatement[]
  /** Names of policies that AWS keeps. */
  readonly managed?: readonly string[]
  /** `pods` lets EKS Pod Identity hand the role to one ServiceAccount. */
  readonly taker?: 'service' | 'pods'
}

/** A role that one AWS service may take, with the statements given and nothing else. */
export const serviceRole = (scope: Construct, id: string, options: ServiceRoleOptions): IamRole => {
  const trust = new DataAwsIamPolicyDocument(scope, `${id}-trust`, {
    statement: [
      {
        actions: options.taker === 'pods' ? ['sts:AssumeRole', 'sts:TagSession'] : ['sts:AssumeRole'],
        principals: [{ type: 'Service', identifiers: [options.service] }],
        condition:
          options.accountId === undefined
            ? []
            : [{ test: 'StringEquals', variable: 'aws:SourceAccount', values: [options.accountId] }],
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
