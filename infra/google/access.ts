import { DataGoogleContainerCluster } from '@cdktf/provider-google/lib/data-google-container-cluster/index.js'
import { GoogleProvider } from '@cdktf/provider-google/lib/provider/index.js'
import { Fn, type TerraformStack } from 'cdktf'
import type { GoogleEnvironment } from '../environment.ts'
import { auditBucket, lokiBucket } from '../names.ts'
import { type ClusterAccess, EXEC_API } from '../platform/access.ts'
import { googleBackend } from './backend.ts'
import { accountAnnotation } from './identity.ts'

/** The GKE cluster of this environment, for the platform's stack. */
export const googleAccess = (stack: TerraformStack, environment: GoogleEnvironment): ClusterAccess => {
  googleBackend(stack, environment, 'platform')
  new GoogleProvider(stack, 'google', { project: environment.project, region: environment.region })
  const cluster = new DataGoogleContainerCluster(stack, 'cluster', {
    name: environment.name,
    location: environment.region,
  })
  return {
    host: `https://${cluster.privateClusterConfig.get(0).privateEndpoint}`,
    clusterCaCertificate: Fn.base64decode(cluster.masterAuth.get(0).clusterCaCertificate),
    exec: { apiVersion: EXEC_API, command: 'gke-gcloud-auth-plugin', args: [] },
    disks: {
      provisioner: 'pd.csi.storage.gke.io',
      parameters: {
        type: 'pd-balanced',
        'disk-encryption-kms-key': `projects/${environment.project}/locations/${environment.region}/keyRings/${environment.name}/cryptoKeys/disks`,
      },
    },
    loki: {
      annotations: accountAnnotation(environment, 'loki'),
      podLabels: {},
      kind: 'gcs',
      settings: {},
      bucket: lokiBucket(environment),
    },
    dns: {
      annotations: accountAnnotation(environment, 'dns'),
      podLabels: {},
      provider: 'google',
      arguments: [`--google-project=${environment.project}`, '--google-zone-visibility=private'],
    },
    shipper: {
      annotations: accountAnnotation(environment, 'audit'),
      podLabels: {},
      remote: {
        TYPE: 'google cloud storage',
        ENV_AUTH: 'true',
        BUCKET_POLICY_ONLY: 'true',
        NO_CHECK_BUCKET: 'true',
      },
      target: `${auditBucket(environment)}/audit`,
    },
  }
}
