import type { ResourceGroup } from '@cdktf/provider-azurerm/lib/resource-group/index.js'
import { StorageAccount } from '@cdktf/provider-azurerm/lib/storage-account/index.js'
import { UserAssignedIdentity } from '@cdktf/provider-azurerm/lib/user-assigned-identity/index.js'
import type { Construct } from 'constructs'
import type { AzureEnvironment } from '../environment.ts'
import type { AzureKeys, Purpose } from './keys.ts'
import type { AzureNetwork } from './network.ts'

export interface ClosedAccountOptions {
  readonly environment: AzureEnvironment
  readonly group: ResourceGroup
  readonly network: AzureNetwork
  readonly keys: AzureKeys
  /** Globally unique: letters and digits, at most 24. */
  readonly name: string
  readonly purpose: Purpose
  /** Copied to the region's pair. */
  readonly paired?: boolean
  /** Kept by `destroy`, with every version of what is in it. */
  readonly kept: boolean
}

/** A storage account that only private networks reach, that knows identities and no keys, and keeps everything under one key of ours. */
export const closedAccount = (scope: Construct, options: ClosedAccountOptions): StorageAccount => {
  const { environment, group, network, keys, name, purpose, kept, paired = false } = options
  const place = { resourceGroupName: group.name, location: environment.region }
  const identity = new UserAssignedIdentity(scope, 'account-identity', {
    ...place,
    name: `${environment.name}-${purpose}-key`,
  })
  const account = new StorageAccount(scope, 'account', {
    ...place,
    name,
    accountTier: 'Standard',
    accountReplicationType: paired ? 'GZRS' : 'ZRS',
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
      keyVaultKeyId: keys.key(purpose).versionlessId,
      userAssignedIdentityId: identity.id,
    },
    blobProperties: { versioningEnabled: kept },
    dependsOn: [keys.allow(purpose, identity.principalId)],
    ...(kept ? { lifecycle: { preventDestroy: true } } : {}),
  })
  network.privateService({
    name: purpose,
    resourceId: account.id,
    part: 'blob',
    zones: ['privatelink.blob.core.windows.net'],
  })
  return account
}
