import type { Check } from '../check.ts'
import type { AzureEnvironment } from '../environment.ts'

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Machines with NVIDIA GPUs: the series NC, ND and NV. */
const GPU_MACHINE = /^Standard_N[CDV]/

export const azureChecks = (environment: AzureEnvironment): readonly Check[] => {
  const { subscriptionId, tenantId, administrators, region, platform, state, nodePools } = environment
  return [
    [GUID.test(subscriptionId), 'subscriptionId: write the id, not the name: `az account show --query id`.'],
    [GUID.test(tenantId), 'tenantId: write the id of the tenant: `az account show --query tenantId`.'],
    [
      /^[a-z]+\d?$/.test(region),
      'region: write its name as `az account list-locations` does, such as westeurope.',
    ],
    [administrators.length > 0, 'administrators: name a group, or nobody administers the cluster.'],
    ...administrators.map((id): Check => [
      GUID.test(id),
      `administrators: ${id} is no object id; \`az ad group show --group NAME --query id\` says it.`,
    ]),
    [
      /^[a-z0-9]{5,50}\.azurecr\.io$/.test(platform.images),
      'platform.images: write NAME.azurecr.io, the name 5 to 50 lower-case letters and digits and taken by nobody else.',
    ],
    [
      /^[a-z0-9]{3,24}$/.test(state.account),
      'state.account: write the name of the storage account, 3 to 24 lower-case letters and digits.',
    ],
    ...nodePools.flatMap(({ name: pool, machine, gpu, spot }, index): readonly Check[] => [
      [
        GPU_MACHINE.test(machine) === (gpu !== undefined),
        gpu === undefined
          ? `nodePools ${pool}: ${machine} has GPUs; add gpu, or everything is scheduled there.`
          : `nodePools ${pool}: ${machine} has no NVIDIA GPU; write one such as Standard_NC24ads_A100_v4, or take gpu away.`,
      ],
      [
        index > 0 || (gpu === undefined && spot !== true),
        `nodePools ${pool}: write one without GPUs and spot first; AKS's own pods run on machines of its kind.`,
      ],
    ]),
  ]
}
