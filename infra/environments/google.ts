import type { GoogleEnvironment } from '../environment.ts'

/** An example to copy. Project and state are placeholders. */
export const google = {
  cloud: 'google',
  name: 'postern-prod',
  region: 'europe-west4',
  zones: ['europe-west4-a', 'europe-west4-b', 'europe-west4-c'],
  project: 'example-postern-prod',
  projectNumber: '123456789012',
  tags: { project: 'postern', environment: 'production', owner: 'platform', 'cost-center': 'llm' },
  network: { cidr: '10.50.0.0/16' },
  operators: ['10.10.0.0/16'],
  controlPlaneCidr: '172.16.0.0/28',
  kubernetes: { version: '1.35' },
  // A regional cluster has min and max nodes in each of its three zones.
  nodePools: [
    { name: 'general', machine: 'e2-standard-4', min: 1, max: 3, diskGb: 100 },
    {
      name: 'gpu',
      machine: 'g2-standard-8',
      min: 0,
      max: 2,
      diskGb: 200,
      gpu: { product: 'nvidia-l4', count: 1 },
    },
  ],
  audit: { retentionDays: 400, lock: 'compliance' },
  logDays: 365,
  dnsZone: 'llm.example.internal',
  platform: {
    images: 'europe-west4-docker.pkg.dev/example-postern-prod/postern-prod',
    retentionDays: 30,
    demoModel: false,
  },
  state: {
    bucket: 'example-postern-prod-terraform-state',
    kmsKey: 'projects/example-postern-prod/locations/europe-west4/keyRings/terraform/cryptoKeys/state',
  },
} as const satisfies GoogleEnvironment
