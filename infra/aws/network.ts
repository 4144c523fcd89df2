import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js'
import { DefaultSecurityGroup } from '@cdktf/provider-aws/lib/default-security-group/index.js'
import { Eip } from '@cdktf/provider-aws/lib/eip/index.js'
import { FlowLog } from '@cdktf/provider-aws/lib/flow-log/index.js'
import { InternetGateway } from '@cdktf/provider-aws/lib/internet-gateway/index.js'
import { NatGateway } from '@cdktf/provider-aws/lib/nat-gateway/index.js'
import { RouteTable } from '@cdktf/provider-aws/lib/route-table/index.js'
import { RouteTableAssociation } from '@cdktf/provider-aws/lib/route-table-association/index.js'
import { Route } from '@cdktf/provider-aws/lib/route/index.js'
import { SecurityGroup } from '@cdktf/provider-aws/lib/security-group/index.js'
import { Subnet } from '@cdktf/provider-aws/lib/subnet/index.js'
import { VpcEndpoint } from '@cdktf/provider-aws/lib/vpc-endpoint/index.js'
import { VpcSecurityGroupIngressRule } from '@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js'
import { Vpc } from '@cdktf/provider-aws/lib/vpc/index.js'
import { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import { serviceRole } from './iam.ts'

/** Asked by every node and pod: they stay inside the network, and work when the NAT gateways do not. */
const ENDPOINTS = ['ecr.api', 'ecr.dkr', 'eks-auth', 'kms', 'logs', 'sts'] as const

export interface AwsNetworkOptions {
  readonly environment: AwsEnvironment
  /** Key of the flow log's group. */
  readonly logKeyArn: string
}

/** A network whose nodes have no public address, with one way out for each zone and a log of every connection. */
export class AwsNetwork extends Construct {
  readonly vpc: Vpc
  readonly privateSubnets: readonly Subnet[]

  constructor(scope: Construct, options: AwsNetworkOptions) {
    super(scope, 'network')
    const { environment } = options
    this.vpc = new Vpc(this, 'vpc', {
      cidrBlock: environment.network.cidr,
      enableDnsHostnames: true,
      enableDnsSupport: true,
      tags: { Name: environment.name },
    })
    // AWS lets everything in the default group talk; nothing may be in it.
    new DefaultSecurityGroup(this, 'default-security-group', { vpcId: this.vpc.id, ingress: [], egress: [] })
    const gateway = new InternetGateway(this, 'internet', { vpcId: this.vpc.id })
    const zones = environment.zones.map((zone, index) => this.zone(options, { zone, index, gateway }))
    this.privateSubnets = zones.map(({ subnet }) => subnet)
    this.endpoints(
      environment,
      zones.map(({ routes }) => routes.id),
    )
    this.flowLog(options)
  }

  private zone(
    { environment }: AwsNetworkOptions,
    { zone, index, gateway }: { zone: string; index: number; gateway: InternetGateway },
  ): { subnet: Subnet; routes: RouteTable } {
    const subnet = (kind: string, cidrBlock: string, tags: Record<string, string>) =>
      new Subnet(this, `${kind}-${zone}`, {
        vpcId: this.vpc.id,
        availabilityZone: zone,
        cidrBlock,
        mapPublicIpOnLaunch: false,
        tags: { Name: `${environment.name}-${kind}-${zone}`, ...tags },
      })
    const table = (kind: string, of: Subnet) => {
      const routes = new RouteTable(this, `${kind}-routes-${zone}`, { vpcId: this.vpc.id })
      new RouteTableAssociation(this, `${kind}-association-${zone}`, {
        subnetId: of.id,
        routeTableId: routes.id,
      })
      return routes
    }
    const [first, second] = environment.network.cidr.split('.')
    const inside = subnet('nodes', `${first ?? ''}.${second ?? ''}.${index * 64}.0/18`, {
      'kubernetes.io/role/internal-elb': '1',
    })
    const edge = subnet('edge', `${first ?? ''}.${second ?? ''}.${192 + index}.0/24`, {})
    const edgeRoutes = table('edge', edge)
    new Route(this, `edge-out-${zone}`, {
      routeTableId: edgeRoutes.id,
      destinationCidrBlock: '0.0.0.0/0',
      gatewayId: gateway.id,
    })
    const address = new Eip(this, `address-${zone}`, { domain: 'vpc', dependsOn: [gateway] })
    const nat = new NatGateway(this, `nat-${zone}`, { subnetId: edge.id, allocationId: address.id })
    const routes = table('nodes', inside)
    new Route(this, `nodes-out-${zone}`, {
      routeTableId: routes.id,
      destinationCidrBlock: '0.0.0.0/0',
      natGatewayId: nat.id,
    })
    return { subnet: inside, routes }
  }

  private endpoints(environment: AwsEnvironment, routeTableIds: string[]): void {
    const group = new SecurityGroup(this, 'endpoints', {
      name: `${environment.name}-endpoints`,
      description: 'Endpoints of AWS services, for this network only',
      vpcId: this.vpc.id,
    })
    new VpcSecurityGroupIngressRule(this, 'endpoints-https', {
      securityGroupId: group.id,
      description: 'HTTPS from this network',
      cidrIpv4: environment.network.cidr,
      ipProtocol: 'tcp',
      fromPort: 443,
      toPort: 443,
    })
    new VpcEndpoint(this, 'endpoint-s3', {
      vpcId: this.vpc.id,
      serviceName: `com.amazonaws.${environment.region}.s3`,
      vpcEndpointType: 'Gateway',
      routeTableIds,
    })
    for (const service of ENDPOINTS)
      new VpcEndpoint(this, `endpoint-${service.replace('.', '-')}`, {
        vpcId: this.vpc.id,
        serviceName: `com.amazonaws.${environment.region}.${service}`,
        vpcEndpointType: 'Interface',
        privateDnsEnabled: true,
        subnetIds: this.privateSubnets.map(({ id }) => id),
        securityGroupIds: [group.id],
      })
  }

  private flowLog({ environment, logKeyArn }: AwsNetworkOptions): void {
    const group = new CloudwatchLogGroup(this, 'flow-log-group', {
      name: `/vpc/${environment.name}/flow`,
      retentionInDays: environment.logDays,
      kmsKeyId: logKeyArn,
    })
    const role = serviceRole(this, 'flow-log-role', {
      name: `${environment.name}-flow-log`,
      service: 'vpc-flow-logs.amazonaws.com',
      accountId: environment.accountId,
      statements: [
        {
          sid: 'WriteFlowLog',
          actions: ['logs:CreateLogStream', 'logs:PutLogEvents', 'logs:DescribeLogStreams'],
          resources: [group.arn, `${group.arn}:log-stream:*`],
        },
      ],
    })
    new FlowLog(this, 'flow-log', {
      vpcId: this.vpc.id,
      trafficType: 'ALL',
      logDestination: group.arn,
      iamRoleArn: role.arn,
    })
  }
}
