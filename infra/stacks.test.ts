import { beforeAll, expect, test } from '@jest/globals'
import { blocks, listed, value } from './aspects/read.ts'
import { aws } from './environments/aws.ts'
import { azure } from './environments/azure.ts'
import { google } from './environments/google.ts'
import type { Environment } from './environment.ts'
import { all, inventory, named, only, type StackJson, synthesised } from './test/synth.ts'

let stacks: Readonly<Record<string, StackJson>> = {}
beforeAll(() => {
  stacks = synthesised(aws, google, azure)
}, 60_000)

test('each cloud has a cluster and a platform', () => {
  expect(Object.keys(stacks).sort()).toEqual(
    ['aws', 'azure', 'google'].flatMap((cloud) => [`${cloud}-cluster`, `${cloud}-platform`]),
  )
})

test.each([
  'aws-cluster',
  'google-cluster',
  'azure-cluster',
  'aws-platform',
  'google-platform',
  'azure-platform',
])('%s consists of what was reviewed', (name) => {
  expect(inventory(stacks[name])).toMatchSnapshot()
})

test('state is remote, encrypted and locked, and each stack has its own', () => {
  const backend = (name: string) => stacks[name]?.terraform.backend
  expect(backend('aws-cluster')?.s3).toMatchObject({
    encrypt: true,
    use_lockfile: true,
    kms_key_id: aws.state.kmsKeyArn,
  })
  expect(backend('google-cluster')?.gcs).toMatchObject({ kms_encryption_key: google.state.kmsKey })
  expect(backend('azure-cluster')?.azurerm).toMatchObject({ use_azuread_auth: true })
  const keys = Object.values(stacks).map(({ terraform }) => JSON.stringify(terraform.backend))
  expect(new Set(keys).size).toBe(6)
})

test('API servers answer inside the network only', () => {
  expect(only(stacks['aws-cluster'], 'aws_eks_cluster').vpc_config).toMatchObject({
    endpoint_public_access: false,
    endpoint_private_access: true,
  })
  expect(only(stacks['google-cluster'], 'google_container_cluster').private_cluster_config).toMatchObject({
    enable_private_endpoint: true,
    enable_private_nodes: true,
  })
  expect(only(stacks['azure-cluster'], 'azurerm_kubernetes_cluster')).toMatchObject({
    private_cluster_enabled: true,
    private_cluster_public_fqdn_enabled: false,
    run_command_enabled: false,
    local_account_disabled: true,
  })
})

test('every network enforces NetworkPolicies', () => {
  const cni = all(stacks['aws-cluster'], 'aws_eks_addon').find(({ addon_name }) => addon_name === 'vpc-cni')
  expect(JSON.parse(String(cni?.configuration_values))).toEqual({ enableNetworkPolicy: 'true' })
  expect(only(stacks['google-cluster'], 'google_container_cluster').datapath_provider).toBe(
    'ADVANCED_DATAPATH',
  )
  expect(
    value(only(stacks['azure-cluster'], 'azurerm_kubernetes_cluster'), 'network_profile', 'network_policy'),
  ).toBe('cilium')
})

test('nodes with GPUs bear a taint and a label, and others do not', () => {
  const named = (cloud: string, type: string, key: string) =>
    Object.fromEntries(all(stacks[`${cloud}-cluster`], type).map((pool) => [String(pool[key]), pool]))
  const eks = named('aws', 'aws_eks_node_group', 'node_group_name')
  expect(eks.gpu?.taint).toEqual([{ key: 'nvidia.com/gpu', value: 'present', effect: 'NO_SCHEDULE' }])
  expect(eks.gpu?.labels).toEqual({ 'postern.dev/pool': 'gpu', 'postern.dev/gpu': 'nvidia-l4' })
  expect(eks.gpu?.ami_type).toBe('AL2023_x86_64_NVIDIA')
  expect(eks.general?.labels).toEqual({ 'postern.dev/pool': 'general' })
  expect(eks.general?.taint ?? []).toEqual([])
  const gke = named('google', 'google_container_node_pool', 'name')
  expect(value(gke.gpu ?? {}, 'node_config', 'guest_accelerator')).toMatchObject([
    { type: 'nvidia-l4', count: 1 },
  ])
  expect(value(gke.gpu ?? {}, 'node_config', 'taint')).toHaveLength(1)
  expect(listed(value(gke.general ?? {}, 'node_config', 'taint'))).toEqual([])
  const aks = named('azure', 'azurerm_kubernetes_cluster_node_pool', 'name')
  expect(aks.gpu?.node_taints).toEqual(['nvidia.com/gpu=present:NoSchedule'])
  expect(aks.general?.node_taints).toBeUndefined()
})

test('the audit bucket is locked for the retention on every cloud, and destroy leaves it', () => {
  const aws_ = stacks['aws-cluster']
  const locks = all(aws_, 'aws_s3_bucket_object_lock_configuration')
  expect(locks.map((lock) => value(lock, 'rule', 'default_retention'))).toEqual([
    { mode: 'COMPLIANCE', days: 400 },
    { mode: 'COMPLIANCE', days: 400 },
  ])
  const records = all(aws_, 'aws_s3_bucket').filter((bucket) => bucket.object_lock_enabled === true)
  expect(records.map(({ provider, lifecycle }) => [provider, lifecycle])).toEqual([
    [undefined, { prevent_destroy: true }],
    ['aws.replica', { prevent_destroy: true }],
  ])
  expect(
    named(stacks['google-cluster'], 'google_storage_bucket', ['name', 'audit']).retention_policy,
  ).toEqual({
    is_locked: true,
    retention_period: 400 * 86_400,
  })
  expect(only(stacks['azure-cluster'], 'azurerm_storage_container_immutability_policy')).toMatchObject({
    immutability_period_in_days: 400,
    locked: true,
  })
})

test('the shipper may add records, and neither read, list nor delete them', () => {
  const documents = Object.values(stacks['aws-cluster']?.data?.aws_iam_policy_document ?? {})
  const shipper = documents
    .flatMap((document) => blocks(document, 'statement'))
    .find(({ sid }) => sid === 'AddRecords')
  expect(shipper?.actions).toEqual(['s3:PutObject'])
  expect(named(stacks['google-cluster'], 'google_storage_bucket_iam_member', ['bucket', 'audit']).role).toBe(
    'roles/storage.objectCreator',
  )
  const adds = only(stacks['azure-cluster'], 'azurerm_role_definition')
  expect(listed(value(adds, 'permissions', 'actions'))).toEqual([])
  expect(
    listed(value(adds, 'permissions', 'data_actions')).map((action) => String(action).split('/blobs/')[1]),
  ).toEqual(['write', 'add/action'])
})

const workloads = ['logging/audit-shipper', 'logging/loki', 'dns/external-dns']

test('each workload has an identity of its own, which only its ServiceAccount gets, on every cloud', () => {
  const aws_ = stacks['aws-cluster']
  expect(
    all(aws_, 'aws_eks_pod_identity_association')
      .map(({ namespace, service_account: account }) => `${String(namespace)}/${String(account)}`)
      .sort(),
  ).toEqual(['autoscaler/cluster-autoscaler', ...workloads].sort())
  expect(
    all(stacks['google-cluster'], 'google_service_account_iam_member')
      .map(({ member }) => String(member))
      .sort(),
  ).toEqual(workloads.map((pod) => `serviceAccount:example-postern-prod.svc.id.goog[${pod}]`).sort())
  expect(
    all(stacks['azure-cluster'], 'azurerm_federated_identity_credential')
      .map(({ subject }) => String(subject))
      .sort(),
  ).toEqual(workloads.map((pod) => `system:serviceaccount:${pod.replace('/', ':')}`).sort())
  for (const cloud of ['aws', 'google', 'azure'])
    expect(only(stacks[`${cloud}-platform`], 'kubernetes_service_account_v1').metadata).toMatchObject({
      name: 'audit-shipper',
      namespace: 'logging',
    })
})

test('on AWS a role for pods is of use to one ServiceAccount, whoever associates it with another', () => {
  const trusts = Object.values(stacks['aws-cluster']?.data?.aws_iam_policy_document ?? {})
    .flatMap((document) => blocks(document, 'statement'))
    .filter((statement) => JSON.stringify(statement).includes('pods.eks.amazonaws.com'))
  expect(trusts).toHaveLength(6)
  for (const trust of trusts)
    expect(blocks(trust, 'condition').map(({ variable }) => variable)).toEqual([
      'aws:SourceAccount',
      'aws:RequestTag/eks-cluster-name',
      'aws:RequestTag/kubernetes-namespace',
      'aws:RequestTag/kubernetes-service-account',
    ])
})

test('spot nodes are bought as such, marked, and not what the platform runs on', () => {
  const spot = { ...aws.nodePools[0], name: 'batch', spot: true }
  const made = synthesised(
    { ...aws, nodePools: [...aws.nodePools, spot] },
    { ...google, nodePools: [...google.nodePools, { ...spot, machine: 'e2-standard-4' }] },
    { ...azure, nodePools: [...azure.nodePools, { ...spot, machine: 'Standard_D4s_v5' }] },
  )
  const taint = { key: 'postern.dev/spot', value: 'present', effect: 'NO_SCHEDULE' }
  expect(named(made['aws-cluster'], 'aws_eks_node_group', ['node_group_name', 'batch'])).toMatchObject({
    capacity_type: 'SPOT',
    taint: [taint],
  })
  expect(
    named(made['google-cluster'], 'google_container_node_pool', ['name', 'batch']).node_config,
  ).toMatchObject({
    spot: true,
    taint: [taint],
  })
  expect(
    named(made['azure-cluster'], 'azurerm_kubernetes_cluster_node_pool', ['name', 'batch']),
  ).toMatchObject({
    priority: 'Spot',
    eviction_policy: 'Delete',
    node_taints: [
      'postern.dev/spot=present:NoSchedule',
      'kubernetes.azure.com/scalesetpriority=spot:NoSchedule',
    ],
  })
})

test('no credential is written anywhere', () => {
  const text = JSON.stringify(stacks)
  expect(text).not.toMatch(
    /BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}|"(password|secret_key|client_secret|access_key|token)":"[^"]/,
  )
})

test('an environment without GPUs gets no device plugin, and one for a trial can be lifted', () => {
  const small: Environment = {
    ...aws,
    nodePools: [aws.nodePools[0]],
    auditReplicaRegion: undefined as never,
    audit: { retentionDays: 200, lock: 'governance' },
    platform: { ...aws.platform, demoModel: true },
  }
  const made = synthesised(small)
  const releases = all(made['aws-platform'], 'helm_release').map(({ name }) => String(name))
  expect(releases).not.toContain('gpu')
  expect(releases).toContain('demo-model')
  expect(
    value(only(made['aws-cluster'], 'aws_s3_bucket_object_lock_configuration'), 'rule', 'default_retention'),
  ).toEqual({
    mode: 'GOVERNANCE',
    days: 200,
  })
})

test('an environment with mistakes is refused with all of them, before anything is written', () => {
  const wrong: Environment = {
    ...google,
    name: 'Production Environment',
    tags: { ...google.tags, owner: 'Team A' },
    network: { cidr: '8.8.0.0/16' },
    operators: ['0.0.0.0/0'],
    nodePools: [{ ...google.nodePools[0], name: 'general-purpose', min: 3, max: 1 }],
    audit: { retentionDays: 30, lock: 'compliance' },
  }
  expect(() => synthesised(wrong)).toThrow(
    /name: .*\ntags\.owner: .*\nnetwork\.cidr: .*\nnodePools general-purpose: .*\nnodePools general-purpose: .*\naudit\.retentionDays: .*\nplatform\.images: .*\noperators: /,
  )
})

test('what is written is the same every time', () => {
  const text = JSON.stringify(stacks)
  expect(JSON.stringify(synthesised(aws, google, azure)) === text).toBe(true)
}, 60_000)
