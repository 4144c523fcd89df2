import { readFileSync } from 'node:fs'
import { ConfigMapV1 } from '@cdktf/provider-kubernetes/lib/config-map-v1/index.js'
import { DaemonSetV1 } from '@cdktf/provider-kubernetes/lib/daemon-set-v1/index.js'
import { ServiceAccountV1 } from '@cdktf/provider-kubernetes/lib/service-account-v1/index.js'
import type { ITerraformDependable } from 'cdktf'
import { Construct } from 'constructs'
import { SHIPPER_IMAGE } from '../charts.ts'
import { WORKLOADS } from '../names.ts'
import type { ShipperIdentity } from './access.ts'
import { ARCHIVE, archiveOutput, fluentdConfig } from './fluentd.ts'
import { literal } from './literal.ts'

/**
 * Waits until a file was left alone for a minute, adds it to the bucket, and only then takes it away from the node. It does not look whether the
 * file is there already, which it may not; no name comes twice. When its node is given back it waits for what Fluentd writes at its own end, and
 * ships that as well.
 */
const SHIP = [
  `ship() { rclone move ${ARCHIVE} "audit:$TARGET" --min-age "$1" --no-check-dest --delete-empty-src-dirs --log-level ERROR || true; }`,
  "trap 'sleep 20; ship 5s; exit 0' TERM",
  'while true; do',
  '  ship 1m',
  '  sleep 60 & wait $!',
  'done',
].join('\n')

/** What the charts of Loki and Fluentd mount, and the shipper, which alone may write to the audit bucket. */
export class Logging extends Construct {
  /** What must exist before Loki and Fluentd start. */
  readonly configuration: ITerraformDependable[]

  constructor(scope: Construct, identity: ShipperIdentity, after: ITerraformDependable) {
    super(scope, 'logging')
    const file = (name: string, data: Record<string, string>) =>
      new ConfigMapV1(this, name, {
        metadata: { name, namespace: WORKLOADS.shipper.namespace },
        data,
        dependsOn: [after],
      })
    this.configuration = [
      file('postern-fluentd', { 'fluent.conf': literal(fluentdConfig()) }),
      file('postern-fluentd-outputs', { 'archive.conf': literal(archiveOutput) }),
      file('loki-rules', {
        'postern.yaml': literal(
          readFileSync(new URL('../../monitoring/loki-rules.yaml', import.meta.url), 'utf8'),
        ),
      }),
    ]
    this.shipper(identity, after)
  }

  private shipper(identity: ShipperIdentity, after: ITerraformDependable): void {
    const account = new ServiceAccountV1(this, 'shipper-account', {
      metadata: {
        name: WORKLOADS.shipper.serviceAccount,
        namespace: WORKLOADS.shipper.namespace,
        annotations: { ...identity.annotations },
      },
      automountServiceAccountToken: false,
      dependsOn: [after],
    })
    const labels = { 'app.kubernetes.io/name': WORKLOADS.shipper.serviceAccount }
    new DaemonSetV1(this, 'shipper', {
      metadata: { name: WORKLOADS.shipper.serviceAccount, namespace: WORKLOADS.shipper.namespace, labels },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels: { ...labels, ...identity.podLabels } },
          spec: {
            serviceAccountName: account.metadata.name,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            terminationGracePeriodSeconds: 90,
            toleration: [{ operator: 'Exists' }],
            securityContext: { runAsUser: '0', seccompProfile: { type: 'RuntimeDefault' } },
            container: [container(identity)],
            volume: [
              { name: 'archive', hostPath: { path: ARCHIVE, type: 'DirectoryOrCreate' } },
              { name: 'tmp', emptyDir: {} },
            ],
          },
        },
      },
    })
  }
}

const container = ({ remote, target }: ShipperIdentity) => ({
  name: 'rclone',
  image: SHIPPER_IMAGE,
  command: ['/bin/sh', '-c', SHIP],
  env: [
    ...Object.entries(remote).map(([name, value]) => ({ name: `RCLONE_CONFIG_AUDIT_${name}`, value })),
    { name: 'TARGET', value: target },
    { name: 'RCLONE_CONFIG', value: '/tmp/rclone.conf' },
  ],
  resources: { requests: { cpu: '20m', memory: '64Mi' }, limits: { memory: '256Mi' } },
  // Fluentd's files are root's; this root can do nothing but read and remove them.
  securityContext: {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  },
  volumeMount: [
    { name: 'archive', mountPath: ARCHIVE },
    { name: 'tmp', mountPath: '/tmp' },
  ],
})
