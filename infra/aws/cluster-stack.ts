import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js'
import { TerraformStack } from 'cdktf'
import type { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import { AwsAudit } from './audit.ts'
import { awsBackend } from './backend.ts'
import { AwsCluster } from './cluster.ts'
import { AwsDns } from './dns.ts'
import { AwsKeys } from './keys.ts'
import { AwsLoki } from './loki.ts'
import { AwsNetwork } from './network.ts'
import { AwsNodes } from './nodes.ts'
import { AwsRegistry } from './registry.ts'

/** Everything on AWS that the platform runs on. */
export class AwsClusterStack extends TerraformStack {
  constructor(scope: Construct, id: string, environment: AwsEnvironment) {
    super(scope, id)
    awsBackend(this, environment, 'cluster')
    new AwsProvider(this, 'aws', {
      region: environment.region,
      allowedAccountIds: [environment.accountId],
      defaultTags: [{ tags: { ...environment.tags } }],
    })
    const keys = new AwsKeys(this, environment)
    const network = new AwsNetwork(this, { environment, logKeyArn: keys.logs.arn })
    const { cluster } = new AwsCluster(this, { environment, network, keys })
    new AwsNodes(this, { environment, network, keys, cluster })
    new AwsAudit(this, { environment, key: keys.audit, cluster })
    new AwsRegistry(this, environment, keys.registry)
    new AwsLoki(this, { environment, key: keys.loki, cluster })
    new AwsDns(this, { environment, vpc: network.vpc, cluster })
  }
}
