import type { AzureEnvironment } from '../environment.ts'

/** An example to copy. Subscription, tenant, groups and state are placeholders. */
export const azure = {
  cloud: 'azure',
  name: 'postern-prod',
  region: 'westeurope',
  subscriptionId: '00000000-0000-0000-0000-000000000001',
  tenantId: '00000000-0000-0000-0000-000000000002',
  administrators: ['00000000-0000-0000-0000-000000000003'],
  runnerNetwork: { resourceGroup: 'runners', name: 'runners' },
  tags: { project: 'postern', environment: 'production', owner: 'platform', 'cost-center': 'llm' },
  network: { cidr: '10.60.0.0/16' },
  kubernetes: { version: '1.35' },
  nodePools: [
    { name: 'general', machine: 'Standard_D4s_v5', min: 3, max: 9, diskGb: 128 },
    // One A100 with 80 GB; Azure has no smaller current one.
    {
      name: 'gpu',
      machine: 'Standard_NC24ads_A100_v4',
      min: 0,
      max: 2,
      diskGb: 256,
      gpu: { product: 'nvidia-a100', count: 1 },
    },
  ],
  audit: { retentionDays: 400, lock: 'compliance' },
  logDays: 365,
  dnsZone: 'llm.example.internal',
  platform: { images: 'posternprod.azurecr.io', retentionDays: 30, demoModel: false },
  state: { resourceGroup: 'terraform-state', account: 'posternprodtfstate', container: 'state' },
} as const satisfies AzureEnvironment
