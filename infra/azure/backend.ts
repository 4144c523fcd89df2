import { AzurermBackend, type TerraformStack } from 'cdktf'
import type { AzureEnvironment } from '../environment.ts'

/** State in a storage account, which locks by itself; asked as the one who applies, never with an account key. */
export const azureBackend = (stack: TerraformStack, environment: AzureEnvironment, part: string): void => {
  new AzurermBackend(stack, {
    resourceGroupName: environment.state.resourceGroup,
    storageAccountName: environment.state.account,
    containerName: environment.state.container,
    key: `${environment.name}/${part}.tfstate`,
    subscriptionId: environment.subscriptionId,
    tenantId: environment.tenantId,
    useAzureadAuth: true,
  })
}
