import { RoleAssignment } from '@cdktf/provider-azurerm/lib/role-assignment/index.js'
import { StorageContainer } from '@cdktf/provider-azurerm/lib/storage-container/index.js'
import { Construct } from 'constructs'
import { lokiBucket, WORKLOADS } from '../names.ts'
import type { AzureAuditOptions } from './audit.ts'
import { workloadIdentity } from './identity.ts'
import { closedAccount } from './storage.ts'

/** Where Loki keeps its chunks and index, which it alone reads, writes and ends. */
export class AzureLoki extends Construct {
  constructor(scope: Construct, options: AzureAuditOptions) {
    super(scope, 'loki')
    const account = closedAccount(this, {
      ...options,
      name: lokiBucket(options.environment),
      purpose: 'loki',
      kept: false,
    })
    const container = new StorageContainer(this, 'container', {
      name: 'loki',
      storageAccountId: account.id,
      containerAccessType: 'private',
    })
    const identity = workloadIdentity(this, 'reader', { ...options, workload: WORKLOADS.loki })
    new RoleAssignment(this, 'reader-keeps', {
      scope: container.id,
      roleDefinitionName: 'Storage Blob Data Contributor',
      principalId: identity.principalId,
    })
  }
}
