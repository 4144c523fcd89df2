import type { AwsEnvironment } from '../environment.ts'

/** An example to copy. Account, state and roles are placeholders; `terraform plan` fails until they are yours. */
export const aws = {
  cloud: 'aws',
  name: 'postern-prod',
  region: 'eu-central-1',
  zones: ['eu-central-1a', 'eu-central-1b', 'eu-central-1c'],
  accountId: '111122223333',
  administrators: ['arn:aws:iam::111122223333:role/platform-admin'],
  tags: { project: 'postern', environment: 'production', owner: 'platform', 'cost-center': 'llm' },
  // The runner that applies is in a network peered or connected with this one.
  network: { cidr: '10.40.0.0/16' },
  operators: ['10.10.0.0/16'],
  // In standard support on all three clouds in November 2026.
  kubernetes: { version: '1.35' },
  nodePools: [
    { name: 'general', machine: 'm7i.xlarge', min: 3, max: 9, diskGb: 100 },
    // One 24 GB GPU a node; starts at none, so that it costs nothing until a model asks for it.
    {
      name: 'gpu',
      machine: 'g6.2xlarge',
      min: 0,
      max: 4,
      diskGb: 200,
      gpu: { product: 'nvidia-l4', count: 1 },
    },
  ],
  audit: { retentionDays: 400, lock: 'compliance' },
  auditReplicaRegion: 'eu-west-1',
  logDays: 365,
  dnsZone: 'llm.example.internal',
  platform: {
    images: '111122223333.dkr.ecr.eu-central-1.amazonaws.com/postern-prod',
    retentionDays: 30,
    demoModel: false,
  },
  state: {
    bucket: 'postern-prod-terraform-state',
    kmsKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000',
  },
} as const satisfies AwsEnvironment
