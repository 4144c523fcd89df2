import { DataAzurermKubernetesCluster } from '@cdktf/provider-azurerm/lib/data-azurerm-kubernetes-cluster/index.js'
import { DataAzurermUserAssignedIdentity } from '@cdktf/provider-azurerm/lib/data-azurerm-user-assigned-identity/index.js'
import { AzurermProvider } from '@cdktf/provider-azurerm/lib/provider/index.js'
import { Fn, type TerraformStack } from 'cdktf'
import type { AzureEnvironment } from '../environment.ts'
import { auditBucket, lokiBucket, WORKLOADS } from '../names.ts'
import { type ClusterAccess, EXEC_API, type PodIdentity } from '../platform/access.ts'
import { azureBackend } from './backend.ts'
import { identityName } from './identity.ts'

/** The application that AKS's API servers accept tokens for, the same in every tenant. */
const AKS_SERVER = '6dae42f8-4368-4678-94ff-3960e28e3630'

/** The AKS cluster of this environment, for the platform's stack. */
export const azureAccess = (stack: TerraformStack, environment: AzureEnvironment): ClusterAccess => {
  azureBackend(stack, environment, 'platform')
  new AzurermProvider(stack, 'azurerm', {
    subscriptionId: environment.subscriptionId,
    tenantId: environment.tenantId,
    features: [{}],
  })
  const resourceGroupName = environment.name
  const cluster = new DataAzurermKubernetesCluster(stack, 'cluster', {
    name: environment.name,
    resourceGroupName,
  })
  const config = cluster.kubeConfig.get(0)
  return {
    host: config.host,
    clusterCaCertificate: Fn.base64decode(config.clusterCaCertificate),
    exec: {
      apiVersion: EXEC_API,
      command: 'kubelogin',
      args: [
        'get-token',
        '--login',
        'azurecli',
        '--tenant-id',
        environment.tenantId,
        '--server-id',
        AKS_SERVER,
      ],
    },
    disks: {
      provisioner: 'disk.csi.azure.com',
      parameters: {
        skuName: 'Premium_ZRS',
        diskEncryptionSetID: `/subscriptions/${environment.subscriptionId}/resourceGroups/${environment.name}/providers/Microsoft.Compute/diskEncryptionSets/${environment.name}-disks`,
      },
    },
    ...workloads(stack, environment),
  }
}

/** What pods use outside the cluster, each with the identity that it alone gets. */
const workloads = (
  stack: TerraformStack,
  environment: AzureEnvironment,
): Pick<ClusterAccess, 'loki' | 'dns' | 'shipper'> => {
  const identity = (id: keyof typeof WORKLOADS): PodIdentity => {
    const { clientId } = new DataAzurermUserAssignedIdentity(stack, id, {
      name: identityName(environment, WORKLOADS[id]),
      resourceGroupName: environment.name,
    })
    return {
      annotations: { 'azure.workload.identity/client-id': clientId },
      podLabels: { 'azure.workload.identity/use': 'true' },
    }
  }
  return {
    loki: {
      ...identity('loki'),
      kind: 'azure',
      settings: { accountName: lokiBucket(environment), useFederatedToken: true },
      bucket: 'loki',
    },
    dns: {
      ...identity('dns'),
      provider: 'azure-private-dns',
      arguments: [],
      file: {
        tenantId: environment.tenantId,
        subscriptionId: environment.subscriptionId,
        resourceGroup: environment.name,
        useWorkloadIdentityExtension: true,
      },
    },
    shipper: {
      ...identity('shipper'),
      remote: {
        TYPE: 'azureblob',
        ACCOUNT: auditBucket(environment),
        ENV_AUTH: 'true',
        NO_CHECK_CONTAINER: 'true',
      },
      target: 'audit',
    },
  }
}
