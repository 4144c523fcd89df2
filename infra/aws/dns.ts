import type { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js'
import { Route53Zone } from '@cdktf/provider-aws/lib/route53-zone/index.js'
import type { Vpc } from '@cdktf/provider-aws/lib/vpc/index.js'
import { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import { WORKLOADS } from '../names.ts'
import { podRole } from './iam.ts'

export interface AwsDnsOptions {
  readonly environment: AwsEnvironment
  readonly vpc: Vpc
  readonly cluster: EksCluster
}

/** The private zone, and the right of external-dns to write names into it and into no other. */
export class AwsDns extends Construct {
  constructor(scope: Construct, { environment, vpc, cluster }: AwsDnsOptions) {
    super(scope, 'dns')
    const zone = new Route53Zone(this, 'zone', { name: environment.dnsZone, vpc: [{ vpcId: vpc.id }] })
    podRole(this, 'writer', {
      environment,
      cluster,
      workload: WORKLOADS.dns,
      statements: [
        {
          sid: 'WriteNames',
          actions: [
            'route53:ChangeResourceRecordSets',
            'route53:ListResourceRecordSets',
            'route53:ListTagsForResources',
          ],
          resources: [zone.arn],
        },
        // It says nothing about single zones.
        { sid: 'FindZones', actions: ['route53:ListHostedZones'], resources: ['*'] },
      ],
    })
  }
}
