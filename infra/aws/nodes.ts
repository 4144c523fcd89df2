import { EksAddon } from '@cdktf/provider-aws/lib/eks-addon/index.js'
import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js'
import { EksNodeGroup } from '@cdktf/provider-aws/lib/eks-node-group/index.js'
import type { IamRole } from '@cdktf/provider-aws/lib/iam-role/index.js'
import { LaunchTemplate } from '@cdktf/provider-aws/lib/launch-template/index.js'
import { Construct } from 'constructs'
import type { AwsEnvironment, NodePool } from '../environment.ts'
import { poolLabels, poolTaints, WORKLOADS } from '../names.ts'
import { POD_IDENTITY, podRole, serviceRole } from './iam.ts'
import type { AwsKeys } from './keys.ts'
import type { AwsNetwork } from './network.ts'

export interface AwsNodesOptions {
  readonly environment: AwsEnvironment
  readonly network: AwsNetwork
  readonly keys: AwsKeys
  readonly cluster: EksCluster
}

/** Node groups, and the add-ons without which a node is not ready. */
export class AwsNodes extends Construct {
  private readonly options: AwsNodesOptions

  constructor(scope: Construct, options: AwsNodesOptions) {
    super(scope, 'nodes')
    this.options = options
    const { environment } = options
    const network = this.networkAddons()
    const role = serviceRole(this, 'role', {
      name: `${environment.name}-node`,
      service: 'ec2.amazonaws.com',
      managed: ['AmazonEKSWorkerNodePolicy', 'AmazonEC2ContainerRegistryPullOnly'],
    })
    const groups = environment.nodePools.map((pool) => this.group(pool, role, network))
    this.clusterAddons(groups)
    this.autoscaler()
  }

  private group(pool: NodePool, role: IamRole, after: EksAddon[]): EksNodeGroup {
    const { environment, network, cluster } = this.options
    const template = this.template(pool)
    return new EksNodeGroup(this, pool.name, {
      clusterName: cluster.name,
      nodeGroupName: pool.name,
      nodeRoleArn: role.arn,
      subnetIds: network.privateSubnets.map(({ id }) => id),
      amiType: pool.gpu === undefined ? 'AL2023_x86_64_STANDARD' : 'AL2023_x86_64_NVIDIA',
      version: environment.kubernetes.version,
      instanceTypes: [pool.machine],
      labels: poolLabels(pool),
      taint: poolTaints(pool).map((taint) => ({ ...taint, effect: 'NO_SCHEDULE' })),
      capacityType: pool.spot === true ? 'SPOT' : 'ON_DEMAND',
      scalingConfig: { minSize: pool.min, desiredSize: pool.min, maxSize: pool.max },
      updateConfig: { maxUnavailable: 1 },
      nodeRepairConfig: { enabled: true },
      launchTemplate: { id: template.id, version: `\${${template.fqn}.latest_version}` },
      // The cluster autoscaler of the platform decides how many there are.
      lifecycle: { ignoreChanges: ['scaling_config[0].desired_size'] },
      dependsOn: after,
    })
  }

  private template(pool: NodePool): LaunchTemplate {
    const { environment, keys } = this.options
    const tags = { ...environment.tags, Name: `${environment.name}-${pool.name}` }
    return new LaunchTemplate(this, `${pool.name}-template`, {
      name: `${environment.name}-${pool.name}`,
      updateDefaultVersion: true,
      // One hop: a pod cannot reach the node's credentials.
      metadataOptions: { httpEndpoint: 'enabled', httpTokens: 'required', httpPutResponseHopLimit: 1 },
      blockDeviceMappings: [
        {
          deviceName: '/dev/xvda',
          ebs: {
            volumeSize: pool.diskGb,
            volumeType: 'gp3',
            encrypted: 'true',
            kmsKeyId: keys.disks.arn,
            deleteOnTermination: 'true',
          },
        },
      ],
      // The tags of the node group do not reach what it starts.
      tagSpecifications: ['instance', 'volume', 'network-interface'].map((resourceType) => ({
        resourceType,
        tags,
      })),
    })
  }

  private networkAddons(): EksAddon[] {
    const { environment, cluster } = this.options
    const role = serviceRole(this, 'vpc-cni-role', {
      name: `${environment.name}-vpc-cni`,
      service: POD_IDENTITY,
      pod: { cluster: environment.name, namespace: 'kube-system', serviceAccount: 'aws-node' },
      accountId: environment.accountId,
      managed: ['AmazonEKS_CNI_Policy'],
    })
    return [
      new EksAddon(this, 'eks-pod-identity-agent', {
        clusterName: cluster.name,
        addonName: 'eks-pod-identity-agent',
      }),
      new EksAddon(this, 'kube-proxy', { clusterName: cluster.name, addonName: 'kube-proxy' }),
      new EksAddon(this, 'vpc-cni', {
        clusterName: cluster.name,
        addonName: 'vpc-cni',
        podIdentityAssociation: [{ serviceAccount: 'aws-node', roleArn: role.arn }],
        // Without it NetworkPolicies are wishes, and pods reach models behind their guard.
        configurationValues: JSON.stringify({ enableNetworkPolicy: 'true' }),
      }),
    ]
  }

  private clusterAddons(after: EksNodeGroup[]): void {
    const { environment, cluster, keys } = this.options
    const role = serviceRole(this, 'ebs-csi-role', {
      name: `${environment.name}-ebs-csi`,
      service: POD_IDENTITY,
      pod: { cluster: environment.name, namespace: 'kube-system', serviceAccount: 'ebs-csi-controller-sa' },
      accountId: environment.accountId,
      managed: ['service-role/AmazonEBSCSIDriverPolicy'],
      statements: [
        {
          sid: 'GrantDisksToInstances',
          actions: ['kms:CreateGrant'],
          resources: [keys.disks.arn],
          condition: [{ test: 'Bool', variable: 'kms:GrantIsForAWSResource', values: ['true'] }],
        },
        {
          sid: 'EncryptDisks',
          actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKeyWithoutPlaintext'],
          resources: [keys.disks.arn],
        },
      ],
    })
    // EKS brings no metrics-server, and without one nothing is scaled by CPU.
    for (const addonName of ['coredns', 'metrics-server'])
      new EksAddon(this, addonName, { clusterName: cluster.name, addonName, dependsOn: after })
    new EksAddon(this, 'aws-ebs-csi-driver', {
      clusterName: cluster.name,
      addonName: 'aws-ebs-csi-driver',
      podIdentityAssociation: [{ serviceAccount: 'ebs-csi-controller-sa', roleArn: role.arn }],
      dependsOn: after,
    })
  }

  /** May look at what there is, and change the size of this cluster's groups only. */
  private autoscaler(): void {
    const { environment, cluster } = this.options
    const { name, region, accountId } = environment
    podRole(this, 'autoscaler', {
      environment,
      cluster,
      workload: WORKLOADS.autoscaler,
      statements: [
        {
          sid: 'SeeGroupsAndMachines',
          // These say nothing about single resources.
          actions: [
            'autoscaling:DescribeAutoScalingGroups',
            'autoscaling:DescribeAutoScalingInstances',
            'autoscaling:DescribeLaunchConfigurations',
            'autoscaling:DescribeScalingActivities',
            'autoscaling:DescribeTags',
            'ec2:DescribeImages',
            'ec2:DescribeInstanceTypes',
            'ec2:DescribeLaunchTemplateVersions',
          ],
          resources: ['*'],
        },
        {
          // What labels and taints a group has that has no node yet.
          sid: 'SeeNodeGroups',
          actions: ['eks:DescribeNodegroup'],
          resources: [`arn:aws:eks:${region}:${accountId}:nodegroup/${name}/*/*`],
        },
        {
          sid: 'SizeGroupsOfThisCluster',
          actions: ['autoscaling:SetDesiredCapacity', 'autoscaling:TerminateInstanceInAutoScalingGroup'],
          resources: [`arn:aws:autoscaling:${region}:${accountId}:autoScalingGroup:*:autoScalingGroupName/*`],
          condition: [
            {
              test: 'StringEquals',
              variable: `aws:ResourceTag/k8s.io/cluster-autoscaler/${name}`,
              values: ['owned'],
            },
          ],
        },
      ],
    })
  }
}
