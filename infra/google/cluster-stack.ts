import { ArtifactRegistryRepositoryIamMember } from '@cdktf/provider-google/lib/artifact-registry-repository-iam-member/index.js'
import { ArtifactRegistryRepository } from '@cdktf/provider-google/lib/artifact-registry-repository/index.js'
import { GoogleProvider } from '@cdktf/provider-google/lib/provider/index.js'
import { TerraformStack } from 'cdktf'
import type { Construct } from 'constructs'
import type { GoogleEnvironment } from '../environment.ts'
import { GoogleAudit } from './audit.ts'
import { googleBackend } from './backend.ts'
import { GoogleCluster } from './cluster.ts'
import { GoogleDns } from './dns.ts'
import { GoogleKeys } from './keys.ts'
import { GoogleLogs } from './logs.ts'
import { GoogleLoki } from './loki.ts'
import { GoogleNetwork } from './network.ts'

/** Everything on Google Cloud that the platform runs on. */
export class GoogleClusterStack extends TerraformStack {
  constructor(scope: Construct, id: string, environment: GoogleEnvironment) {
    super(scope, id)
    googleBackend(this, environment, 'cluster')
    new GoogleProvider(this, 'google', {
      project: environment.project,
      region: environment.region,
      defaultLabels: { ...environment.tags },
    })
    const keys = new GoogleKeys(this, environment)
    const network = new GoogleNetwork(this, environment)
    const cluster = new GoogleCluster(this, { environment, network, keys })
    new GoogleAudit(this, { environment, keys, after: cluster.cluster })
    this.registry(environment, keys, cluster)
    new GoogleLoki(this, { environment, keys, after: cluster.cluster })
    new GoogleDns(this, { environment, network, after: cluster.cluster })
    new GoogleLogs(this, environment, keys)
  }

  private registry(environment: GoogleEnvironment, keys: GoogleKeys, cluster: GoogleCluster): void {
    const repository = new ArtifactRegistryRepository(this, 'registry', {
      repositoryId: environment.name,
      location: environment.region,
      format: 'DOCKER',
      kmsKeyName: keys.id('registry'),
      dockerConfig: { immutableTags: true },
      vulnerabilityScanningConfig: { enablementConfig: 'INHERITED' },
      dependsOn: [keys.grant('registry')],
    })
    new ArtifactRegistryRepositoryIamMember(this, 'registry-nodes', {
      repository: repository.name,
      location: environment.region,
      role: 'roles/artifactregistry.reader',
      member: `serviceAccount:${cluster.nodeAccount.email}`,
    })
  }
}
