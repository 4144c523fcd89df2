import type { KubernetesCluster } from '@cdktf/provider-azurerm/lib/kubernetes-cluster/index.js'
import { LogAnalyticsWorkspace } from '@cdktf/provider-azurerm/lib/log-analytics-workspace/index.js'
import { MonitorDiagnosticSetting } from '@cdktf/provider-azurerm/lib/monitor-diagnostic-setting/index.js'
import { MonitorPrivateLinkScope } from '@cdktf/provider-azurerm/lib/monitor-private-link-scope/index.js'
import { MonitorPrivateLinkScopedService } from '@cdktf/provider-azurerm/lib/monitor-private-link-scoped-service/index.js'
import type { ResourceGroup } from '@cdktf/provider-azurerm/lib/resource-group/index.js'
import { Construct } from 'constructs'
import type { AzureEnvironment } from '../environment.ts'
import type { AzureNetwork } from './network.ts'

const LOGS = [
  'kube-apiserver',
  'kube-audit-admin',
  'kube-controller-manager',
  'kube-scheduler',
  'guard',
] as const

/** Where Azure Monitor is asked and written to, by the list of its documentation of private links. */
const ZONES = [
  'privatelink.monitor.azure.com',
  'privatelink.oms.opinsights.azure.com',
  'privatelink.ods.opinsights.azure.com',
  'privatelink.agentsvc.azure-automation.net',
  'privatelink.blob.core.windows.net',
] as const

export interface AzureLogsOptions {
  readonly environment: AzureEnvironment
  readonly group: ResourceGroup
  readonly network: AzureNetwork
  readonly cluster: KubernetesCluster
}

/**
 * Logs of the control plane, asked from this network and the runner's only. A key of one's own needs a dedicated cluster of Log Analytics, paid
 * for 100 GB a day at least; Azure's own key encrypts these.
 */
export class AzureLogs extends Construct {
  constructor(scope: Construct, { environment, group, network, cluster }: AzureLogsOptions) {
    super(scope, 'logs')
    const { name } = environment
    const workspace = new LogAnalyticsWorkspace(this, 'logs', {
      name,
      resourceGroupName: group.name,
      location: environment.region,
      sku: 'PerGB2018',
      retentionInDays: environment.logDays,
      localAuthenticationEnabled: false,
      internetIngestionEnabled: false,
      internetQueryEnabled: false,
    })
    new MonitorDiagnosticSetting(this, 'control-plane-logs', {
      name: 'control-plane',
      targetResourceId: cluster.id,
      logAnalyticsWorkspaceId: workspace.id,
      enabledLog: LOGS.map((category) => ({ category })),
    })
    // Open, as networks that resolve these zones ask workspaces of others as well; this one is closed by itself.
    const link = new MonitorPrivateLinkScope(this, 'link', {
      name,
      resourceGroupName: group.name,
      ingestionAccessMode: 'Open',
      queryAccessMode: 'Open',
    })
    new MonitorPrivateLinkScopedService(this, 'linked', {
      name,
      resourceGroupName: group.name,
      scopeName: link.name,
      linkedResourceId: workspace.id,
    })
    network.privateService({ name: 'logs', resourceId: link.id, part: 'azuremonitor', zones: ZONES })
  }
}
