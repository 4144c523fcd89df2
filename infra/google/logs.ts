import { DataGoogleLoggingProjectCmekSettings } from '@cdktf/provider-google/lib/data-google-logging-project-cmek-settings/index.js'
import { LoggingProjectBucketConfig } from '@cdktf/provider-google/lib/logging-project-bucket-config/index.js'
import { LoggingProjectExclusion } from '@cdktf/provider-google/lib/logging-project-exclusion/index.js'
import { LoggingProjectSink } from '@cdktf/provider-google/lib/logging-project-sink/index.js'
import { Construct } from 'constructs'
import type { GoogleEnvironment } from '../environment.ts'
import type { GoogleKeys } from './keys.ts'

/** Control plane, nodes, connections and what NAT could not do. */
const FILTER =
  'resource.type=("k8s_cluster" OR "k8s_control_plane_component" OR "k8s_node" OR "k8s_pod" OR "k8s_container" OR "gke_cluster" OR "gke_nodepool" OR "gce_subnetwork" OR "nat_gateway")'

/** Logs of cluster and network in a bucket with a key of ours, and not also in the one that every project has, which takes none afterwards. */
export class GoogleLogs extends Construct {
  constructor(scope: Construct, environment: GoogleEnvironment, keys: GoogleKeys) {
    super(scope, 'logs')
    const { project, name, region } = environment
    // Cloud Logging says by whom it encrypts; the account has no fixed name.
    const agent = new DataGoogleLoggingProjectCmekSettings(this, 'agent', { project })
    const bucket = new LoggingProjectBucketConfig(this, 'bucket', {
      project,
      location: region,
      bucketId: name,
      retentionDays: environment.logDays,
      cmekSettings: { kmsKeyName: keys.id('logs') },
      dependsOn: [keys.allow('logs', agent.serviceAccountId)],
    })
    const sink = new LoggingProjectSink(this, 'sink', {
      project,
      name,
      destination: `logging.googleapis.com/${bucket.id}`,
      filter: FILTER,
      uniqueWriterIdentity: true,
    })
    new LoggingProjectExclusion(this, 'kept-once', { project, name, filter: FILTER, dependsOn: [sink] })
    new LoggingProjectBucketConfig(this, 'others', {
      project,
      location: 'global',
      bucketId: '_Default',
      retentionDays: environment.logDays,
    })
  }
}
