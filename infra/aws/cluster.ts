import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js'
import { EksAccessEntry } from '@cdktf/provider-aws/lib/eks-access-entry/index.js'
import { EksAccessPolicyAssociation } from '@cdktf/provider-aws/lib/eks-access-policy-association/index.js'
import { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js'
import { SecurityGroup } from '@cdktf/provider-aws/lib/security-group/index.js'
import { VpcSecurityGroupIngressRule } from '@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js'
import { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import { serviceRole } from './iam.ts'
import type { AwsKeys } from './keys.ts'
import type { AwsNetwork } from './network.ts'

export interface AwsClusterOptions {
  readonly environment: AwsEnvironment
  readonly network: AwsNetwork
  readonly keys: AwsKeys
}

/** An EKS cluster whose API server answers inside the network only. */
export class AwsCluster extends Construct {
  readonly cluster: EksCluster

  constructor(scope: Construct, { environment, network, keys }: AwsClusterOptions) {
    super(scope, 'cluster')
    const role = serviceRole(this, 'role', {
      name: `${environment.name}-cluster`,
      service: 'eks.amazonaws.com',
      managed: ['AmazonEKSClusterPolicy'],
      statements: [
        {
          sid: 'EnvelopeOfSecrets',
          actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ListGrants', 'kms:DescribeKey'],
          resources: [keys.secrets.arn],
        },
      ],
    })
    // EKS would make the group itself: without a key, and without an end.
    const logs = new CloudwatchLogGroup(this, 'logs', {
      name: `/aws/eks/${environment.name}/cluster`,
      retentionInDays: environment.logDays,
      kmsKeyId: keys.logs.arn,
    })
    this.cluster = new EksCluster(this, 'eks', {
      name: environment.name,
      version: environment.kubernetes.version,
      roleArn: role.arn,
      enabledClusterLogTypes: ['api', 'audit', 'authenticator', 'controllerManager', 'scheduler'],
      bootstrapSelfManagedAddons: false,
      accessConfig: { authenticationMode: 'API', bootstrapClusterCreatorAdminPermissions: false },
      encryptionConfig: { resources: ['secrets'], provider: { keyArn: keys.secrets.arn } },
      upgradePolicy: { supportType: 'STANDARD' },
      vpcConfig: {
        subnetIds: network.privateSubnets.map(({ id }) => id),
        endpointPrivateAccess: true,
        endpointPublicAccess: false,
        securityGroupIds: [this.operators(environment, network).id],
      },
      dependsOn: [logs],
    })
    this.administrators(environment)
  }

  private operators(environment: AwsEnvironment, network: AwsNetwork): SecurityGroup {
    const group = new SecurityGroup(this, 'operators', {
      name: `${environment.name}-operators`,
      description: 'Who may ask the API server besides the nodes',
      vpcId: network.vpc.id,
    })
    environment.operators.forEach((cidrIpv4, index) => {
      new VpcSecurityGroupIngressRule(this, `operators-${index}`, {
        securityGroupId: group.id,
        description: 'API server from operators',
        cidrIpv4,
        ipProtocol: 'tcp',
        fromPort: 443,
        toPort: 443,
      })
    })
    return group
  }

  private administrators(environment: AwsEnvironment): void {
    environment.administrators.forEach((principalArn, index) => {
      const entry = new EksAccessEntry(this, `administrator-${index}`, {
        clusterName: this.cluster.name,
        principalArn,
      })
      new EksAccessPolicyAssociation(this, `administrator-${index}-policy`, {
        clusterName: this.cluster.name,
        principalArn: entry.principalArn,
        policyArn: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy',
        accessScope: { type: 'cluster' },
      })
    })
  }
}
