import type { KubernetesCluster } from '@cdktf/provider-azurerm/lib/kubernetes-cluster/index.js'
import type { ResourceGroup } from '@cdktf/provider-azurerm/lib/resource-group/index.js'
import { RoleAssignment } from '@cdktf/provider-azurerm/lib/role-assignment/index.js'
import { RoleDefinition } from '@cdktf/provider-azurerm/lib/role-definition/index.js'
import type { StorageAccount } from '@cdktf/provider-azurerm/lib/storage-account/index.js'
import { StorageContainerImmutabilityPolicy } from '@cdktf/provider-azurerm/lib/storage-container-immutability-policy/index.js'
import { StorageContainer } from '@cdktf/provider-azurerm/lib/storage-container/index.js'
import { StorageManagementPolicy } from '@cdktf/provider-azurerm/lib/storage-management-policy/index.js'
import { Construct } from 'constructs'
import type { AzureEnvironment } from '../environment.ts'
import { auditBucket, WORKLOADS } from '../names.ts'
import { workloadIdentity } from './identity.ts'
import type { AzureKeys } from './keys.ts'
import type { AzureNetwork } from './network.ts'
import { closedAccount } from './storage.ts'

export interface AzureAuditOptions {
  readonly environment: AzureEnvironment
  readonly group: ResourceGroup
  readonly network: AzureNetwork
  readonly keys: AzureKeys
  readonly cluster: KubernetesCluster
}

/** A container that takes audit records and gives none away: nobody deletes before the retention ends, the shipper can only add. */
export class AzureAudit extends Construct {
  private readonly options: AzureAuditOptions

  constructor(scope: Construct, options: AzureAuditOptions) {
    super(scope, 'audit')
    this.options = options
    const { environment } = options
    const account = closedAccount(this, {
      ...options,
      name: auditBucket(environment),
      purpose: 'audit',
      paired: environment.auditInPairedRegion === true,
      kept: true,
    })
    const container = new StorageContainer(this, 'container', {
      name: 'audit',
      storageAccountId: account.id,
      containerAccessType: 'private',
      lifecycle: { preventDestroy: true },
    })
    new StorageContainerImmutabilityPolicy(this, 'immutability', {
      storageContainerResourceManagerId: container.id,
      immutabilityPeriodInDays: environment.audit.retentionDays,
      locked: environment.audit.lock === 'compliance',
      protectedAppendWritesAllEnabled: false,
      protectedAppendWritesEnabled: false,
    })
    this.lifecycle(account)
    this.shipper(container)
  }

  private lifecycle(account: StorageAccount): void {
    new StorageManagementPolicy(this, 'lifecycle', {
      storageAccountId: account.id,
      rule: [
        {
          name: 'audit',
          enabled: true,
          filters: { blobTypes: ['blockBlob'], prefixMatch: ['audit/'] },
          actions: {
            baseBlob: {
              tierToColdAfterDaysSinceModificationGreaterThan: 90,
              deleteAfterDaysSinceModificationGreaterThan: this.options.environment.audit.retentionDays + 1,
            },
          },
        },
      ],
    })
  }

  private shipper(container: StorageContainer): void {
    const { environment, group } = this.options
    const identity = workloadIdentity(this, 'shipper', { ...this.options, workload: WORKLOADS.shipper })
    // Every built-in role that may write may also read and delete.
    const adds = new RoleDefinition(this, 'adds-records', {
      name: `${environment.name} adds audit records`,
      scope: group.id,
      assignableScopes: [group.id],
      permissions: [
        {
          actions: [],
          dataActions: [
            'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write',
            'Microsoft.Storage/storageAccounts/blobServices/containers/blobs/add/action',
          ],
        },
      ],
    })
    new RoleAssignment(this, 'shipper-adds', {
      scope: container.id,
      roleDefinitionId: adds.roleDefinitionResourceId,
      principalId: identity.principalId,
    })
  }
}
