import { FederatedIdentityCredential } from '@cdktf/provider-azurerm/lib/federated-identity-credential/index.js'
import type { KubernetesCluster } from '@cdktf/provider-azurerm/lib/kubernetes-cluster/index.js'
import type { ResourceGroup } from '@cdktf/provider-azurerm/lib/resource-group/index.js'
import { RoleAssignment } from '@cdktf/provider-azurerm/lib/role-assignment/index.js'
import { RoleDefinition } from '@cdktf/provider-azurerm/lib/role-definition/index.js'
import { StorageAccount } from '@cdktf/provider-azurerm/lib/storage-account/index.js'
import { StorageContainerImmutabilityPolicy } from '@cdktf/provider-azurerm/lib/storage-container-immutability-policy/index.js'
import { StorageContainer } from '@cdktf/provider-azurerm/lib/storage-container/index.js'
import { StorageManagementPolicy } from '@cdktf/provider-azurerm/lib/storage-management-policy/index.js'
import { UserAssignedIdentity } from '@cdktf/provider-azurerm/lib/user-assigned-identity/index.js'
import { Construct } from 'constructs'
import type { AzureEnvironment } from '../environment.ts'
import { auditBucket, SHIPPER } from '../names.ts'
import type { AzureKeys } from './keys.ts'
import type { AzureNetwork } from './network.ts'

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
    const { environment, network } = options
    const account = this.account()
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
    network.privateService({
      name: 'audit',
      resourceId: account.id,
      part: 'blob',
      zone: 'privatelink.blob.core.windows.net',
    })
    this.lifecycle(account)
    this.shipper(container)
  }

  private place(name: string) {
    const { group, environment } = this.options
    return { name, resourceGroupName: group.name, location: environment.region }
  }

  private account(): StorageAccount {
    const { environment, keys } = this.options
    const identity = new UserAssignedIdentity(
      this,
      'account-identity',
      this.place(`${environment.name}-audit-key`),
    )
    return new StorageAccount(this, 'account', {
      ...this.place(auditBucket(environment)),
      accountTier: 'Standard',
      accountReplicationType: 'ZRS',
      publicNetworkAccessEnabled: false,
      allowNestedItemsToBePublic: false,
      // Every access is by an identity; there is no key to lose.
      sharedAccessKeyEnabled: false,
      defaultToOauthAuthentication: true,
      localUserEnabled: false,
      crossTenantReplicationEnabled: false,
      httpsTrafficOnlyEnabled: true,
      minTlsVersion: 'TLS1_2',
      infrastructureEncryptionEnabled: true,
      networkRules: { defaultAction: 'Deny', bypass: ['AzureServices'] },
      identity: { type: 'UserAssigned', identityIds: [identity.id] },
      customerManagedKey: {
        keyVaultKeyId: keys.key('audit').versionlessId,
        userAssignedIdentityId: identity.id,
      },
      blobProperties: { versioningEnabled: true },
      dependsOn: [keys.allow('audit', identity.principalId)],
      lifecycle: { preventDestroy: true },
    })
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
    const { environment, cluster, group } = this.options
    const identity = new UserAssignedIdentity(
      this,
      'shipper',
      this.place(`${environment.name}-audit-shipper`),
    )
    new FederatedIdentityCredential(this, 'shipper-identity', {
      name: 'audit-shipper',
      resourceGroupName: group.name,
      parentId: identity.id,
      issuer: cluster.oidcIssuerUrl,
      subject: `system:serviceaccount:${SHIPPER.namespace}:${SHIPPER.serviceAccount}`,
      audience: ['api://AzureADTokenExchange'],
    })
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
