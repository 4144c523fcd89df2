import { KeyVaultKey } from '@cdktf/provider-azurerm/lib/key-vault-key/index.js'
import { KeyVault } from '@cdktf/provider-azurerm/lib/key-vault/index.js'
import type { ResourceGroup } from '@cdktf/provider-azurerm/lib/resource-group/index.js'
import { RoleAssignment } from '@cdktf/provider-azurerm/lib/role-assignment/index.js'
import { Construct } from 'constructs'
import type { AzureEnvironment } from '../environment.ts'
import { shortName } from '../names.ts'
import type { AzureNetwork } from './network.ts'

/** What a key encrypts. */
export type Purpose = 'secrets' | 'disks' | 'audit' | 'loki' | 'registry'

export interface AzureKeysOptions {
  readonly environment: AzureEnvironment
  readonly group: ResourceGroup
  readonly network: AzureNetwork
}

/** One key for each purpose, in a vault that only this network and the runner's reach, rotated every 90 days. */
export class AzureKeys extends Construct {
  readonly vault: KeyVault
  private readonly keys: ReadonlyMap<Purpose, KeyVaultKey>

  constructor(scope: Construct, { environment, group, network }: AzureKeysOptions) {
    super(scope, 'keys')
    this.vault = new KeyVault(this, 'vault', {
      name: shortName(environment, 'keys'),
      resourceGroupName: group.name,
      location: environment.region,
      tenantId: environment.tenantId,
      skuName: 'premium',
      rbacAuthorizationEnabled: true,
      purgeProtectionEnabled: true,
      softDeleteRetentionDays: 90,
      publicNetworkAccessEnabled: false,
      networkAcls: { defaultAction: 'Deny', bypass: 'AzureServices' },
      // With the vault go its keys.
      lifecycle: { preventDestroy: true },
    })
    const reachable = network.privateService({
      name: 'keys',
      resourceId: this.vault.id,
      part: 'vault',
      zones: ['privatelink.vaultcore.azure.net'],
    })
    this.keys = new Map(
      (['secrets', 'disks', 'audit', 'loki', 'registry'] as const).map((purpose) => [
        purpose,
        new KeyVaultKey(this, purpose, {
          name: purpose,
          keyVaultId: this.vault.id,
          keyType: 'RSA-HSM',
          keySize: 3072,
          keyOpts: ['decrypt', 'encrypt', 'unwrapKey', 'wrapKey'],
          rotationPolicy: { automatic: { timeAfterCreation: 'P90D' } },
          lifecycle: { preventDestroy: true },
          dependsOn: [reachable],
        }),
      ]),
    )
  }

  /** The key. With its version Azure keeps using the old one after a rotation, so use `versionlessId` where it is taken. */
  key(purpose: Purpose): KeyVaultKey {
    const key = this.keys.get(purpose)
    if (key === undefined) throw new RangeError(`There is no key for ${purpose}.`)
    return key
  }

  /** Lets an identity encrypt and decrypt with this one key. What uses the key has to wait for it. */
  allow(purpose: Purpose, principalId: string): RoleAssignment {
    return new RoleAssignment(this, `${purpose}-user`, {
      scope: this.key(purpose).resourceVersionlessId,
      roleDefinitionName: 'Key Vault Crypto Service Encryption User',
      principalId,
    })
  }
}
