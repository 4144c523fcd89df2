import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js'
import { Release } from '@cdktf/provider-helm/lib/release/index.js'
import { ClusterRoleV1 } from '@cdktf/provider-kubernetes/lib/cluster-role-v1/index.js'
import { ConfigMapV1 } from '@cdktf/provider-kubernetes/lib/config-map-v1/index.js'
import { NamespaceV1 } from '@cdktf/provider-kubernetes/lib/namespace-v1/index.js'
import { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js'
import { StorageClassV1 } from '@cdktf/provider-kubernetes/lib/storage-class-v1/index.js'
import { App, type ITerraformDependable, TerraformStack } from 'cdktf'
import type { Construct } from 'constructs'
import { stringify } from 'yaml'
import { awsAccess } from '../aws/access.ts'
import { azureAccess } from '../azure/access.ts'
import { type Chart, charts } from '../charts.ts'
import type { Environment, Values } from '../environment.ts'
import { googleAccess } from '../google/access.ts'
import { type ClusterAccess, merged } from './access.ts'
import { literal } from './literal.ts'
import { Logging } from './logging.ts'
import * as cloud from './cloud-values.ts'
import * as values from './values.ts'

/**
 * Namespaces, and what Pod Security lets run in them. `privileged` where something reads the node: its logs, its kernel, its metrics or its
 * GPUs.
 */
const NAMESPACES = {
  'cert-manager': 'restricted',
  monitoring: 'privileged',
  logging: 'privileged',
  falco: 'privileged',
  keda: 'restricted',
  dns: 'restricted',
  autoscaler: 'restricted',
  gpu: 'privileged',
  postern: 'restricted',
  models: 'restricted',
} as const satisfies Record<string, 'restricted' | 'privileged'>

type Namespace = keyof typeof NAMESPACES

/** What runs on the cluster: the charts of others at fixed versions, and ours, with what monitoring/ makes. */
export class PlatformStack extends TerraformStack {
  private readonly namespaces: ReadonlyMap<string, NamespaceV1>
  private readonly environment: Environment

  constructor(scope: Construct, id: string, environment: Environment) {
    super(scope, id)
    this.environment = environment
    const access = accessTo(this, environment)
    const { host, clusterCaCertificate, exec } = access
    new KubernetesProvider(this, 'kubernetes', { host, clusterCaCertificate, exec: [exec] })
    new HelmProvider(this, 'helm', { kubernetes: { host, clusterCaCertificate, exec } })
    this.namespaces = new Map(
      (Object.keys(NAMESPACES) as Namespace[]).map((name) => [name, this.namespace(name)]),
    )
    const disks = this.disks(access)
    // First, as it brings the kinds of monitors that the others make.
    const monitoring = this.install('monitoring', values.monitoring(environment), [disks, this.dashboards()])
    const certManager = this.install('cert-manager', values.certManager, [monitoring])
    const logging = new Logging(this, access.shipper, this.namespaceOf('logging'))
    const loki = this.install('loki', cloud.loki(environment, access.loki), [
      disks,
      monitoring,
      ...logging.configuration,
    ])
    this.install('fluentd', values.fluentd(environment), [loki, ...logging.configuration])
    this.install('falco', values.falco, [loki])
    this.install('keda', values.keda, [monitoring])
    if (environment.cloud !== 'google' && environment.nodePools.some(({ gpu }) => gpu !== undefined))
      this.install('gpu', values.gpu, [])
    this.install('dns', cloud.dns(environment, access.dns), [monitoring, ...this.dnsFile(access)])
    if (environment.cloud === 'aws') this.install('autoscaler', cloud.autoscaler(environment), [monitoring])
    this.own([certManager, monitoring])
  }

  /** Ours, from charts/ of this repository. */
  private own(after: ITerraformDependable[]): void {
    const { environment } = this
    const postern = this.release('postern', {
      chart: this.folder('postern'),
      namespace: 'postern',
      values: merged(values.postern(environment), environment.platform.guard ?? {}),
      after,
    })
    if (environment.platform.demoModel)
      this.release('demo-model', {
        chart: this.folder('llm-api'),
        namespace: 'models',
        values: values.demoModel(environment),
        after: [postern],
      })
  }

  private install(name: keyof typeof charts, chartValues: Values, after: ITerraformDependable[]): Release {
    const { namespace, ...chart }: Chart = charts[name]
    return this.release(name, { ...chart, namespace, values: chartValues, after })
  }

  private release(
    name: string,
    options: Omit<Chart, 'repository' | 'version'> &
      Partial<Chart> & { readonly values: Values; readonly after: ITerraformDependable[] },
  ): Release {
    const { values: given, after, ...chart } = options
    return new Release(this, `${name}-release`, {
      ...chart,
      name,
      // A release that fails is rolled back, and says so.
      atomic: true,
      cleanupOnFail: true,
      wait: true,
      timeout: 900,
      maxHistory: 10,
      values: [literal(stringify(given, { lineWidth: 0 }))],
      dependsOn: [this.namespaceOf(chart.namespace), ...after],
    })
  }

  /** The chart's folder as seen from where Terraform runs, so that what is written is the same on every machine. */
  private folder(chart: string): string {
    const { outdir } = App.of(this)
    const from = `${outdir}/stacks/${this.node.id}`
    return `\${path.module}/${relative(from, fileURLToPath(new URL(`../../charts/${chart}`, import.meta.url)))}`
  }

  private namespace(name: Namespace): NamespaceV1 {
    return new NamespaceV1(this, `namespace-${name}`, {
      metadata: {
        name,
        labels: {
          'pod-security.kubernetes.io/enforce': NAMESPACES[name],
          'app.kubernetes.io/part-of': 'postern',
          ...(name === 'models' ? { 'postern.dev/injection': 'enabled' } : {}),
        },
      },
    })
  }

  private namespaceOf(name: string): NamespaceV1 {
    const namespace = this.namespaces.get(name)
    if (namespace === undefined)
      throw new RangeError(`Add the namespace ${name} to NAMESPACES of platform/stack.ts.`)
    return namespace
  }

  /** Grafana finds dashboards in ConfigMaps, and reads nothing else. */
  private dashboards(): ClusterRoleV1 {
    return new ClusterRoleV1(this, 'dashboards', {
      metadata: { name: values.DASHBOARDS },
      rule: [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch'] }],
    })
  }

  private dnsFile({ dns }: ClusterAccess): ConfigMapV1[] {
    if (dns.file === undefined) return []
    const namespace = this.namespaceOf('dns')
    return [
      new ConfigMapV1(this, 'dns-file', {
        metadata: { name: cloud.DNS_FILE, namespace: namespace.metadata.name },
        data: { 'azure.json': JSON.stringify(dns.file) },
      }),
    ]
  }

  private disks({ disks }: ClusterAccess): StorageClassV1 {
    return new StorageClassV1(this, 'disks', {
      metadata: {
        name: values.DISKS,
        annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' },
      },
      storageProvisioner: disks.provisioner,
      parameters: { ...disks.parameters },
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
      allowVolumeExpansion: true,
    })
  }
}

const accessTo = (stack: TerraformStack, environment: Environment): ClusterAccess => {
  switch (environment.cloud) {
    case 'aws':
      return awsAccess(stack, environment)
    case 'google':
      return googleAccess(stack, environment)
    case 'azure':
      return azureAccess(stack, environment)
  }
}
