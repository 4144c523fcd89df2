import { AzurermProvider } from '@cdktf/provider-azurerm/lib/provider/index.js'
import { ResourceGroup } from '@cdktf/provider-azurerm/lib/resource-group/index.js'
import { TerraformStack } from 'cdktf'
import type { Construct } from 'constructs'
import type { AzureEnvironment } from '../environment.ts'
import { AzureAudit } from './audit.ts'
import { azureBackend } from './backend.ts'
import { AzureCluster } from './cluster.ts'
import { AzureDns } from './dns.ts'
import { AzureKeys } from './keys.ts'
import { AzureLogs } from './logs.ts'
import { AzureLoki } from './loki.ts'
import { AzureNetwork } from './network.ts'
import { AzureRegistry } from './registry.ts'

/** Everything on Azure that the platform runs on. */
export class AzureClusterStack extends TerraformStack {
  constructor(scope: Construct, id: string, environment: AzureEnvironment) {
    super(scope, id)
    azureBackend(this, environment, 'cluster')
    new AzurermProvider(this, 'azurerm', {
      subscriptionId: environment.subscriptionId,
      tenantId: environment.tenantId,
      // The audit account has no keys, so the provider asks for blobs as itself.
      storageUseAzuread: true,
      features: [{ keyVault: [{ purgeSoftDeleteOnDestroy: false }] }],
    })
    const group = new ResourceGroup(this, 'group', { name: environment.name, location: environment.region })
    const network = new AzureNetwork(this, environment, group)
    const keys = new AzureKeys(this, { environment, group, network })
    const { cluster } = new AzureCluster(this, { environment, group, network, keys })
    new AzureLogs(this, { environment, group, network, cluster })
    new AzureAudit(this, { environment, group, network, keys, cluster })
    new AzureRegistry(this, { environment, group, network, keys, cluster })
    new AzureLoki(this, { environment, group, network, keys, cluster })
    new AzureDns(this, { environment, group, network, cluster })
  }
}
