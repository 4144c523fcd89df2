import { beforeAll, expect, test } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { value } from '../aspects/read.ts'
import { aws } from '../environments/aws.ts'
import { azure } from '../environments/azure.ts'
import { google } from '../environments/google.ts'
import { found } from '../test/programs.ts'
import { unless } from '../test/unless.ts'
import { type StackJson, synthesised } from '../test/synth.ts'

const opa = found('opa')
const real = unless(opa, 'opa')
const folder = import.meta.dirname

const reviewed = () =>
  JSON.parse(readFileSync(join(folder, 'reviewed.json'), 'utf8')) as {
    readonly reviewed_types: readonly string[]
    readonly tag_attributes: Readonly<Record<string, string>>
  }

interface Finding {
  readonly topic: string
  readonly resource: string
  readonly message: string
}

const findings = (stack: StackJson | undefined): readonly Finding[] =>
  JSON.parse(
    execFileSync(opa ?? '', ['eval', '-f', 'raw', '-d', folder, '-I', 'data.infra.deny'], {
      input: JSON.stringify(stack),
    }).toString(),
  ) as Finding[]

let stacks: Readonly<Record<string, StackJson>> = {}
beforeAll(() => {
  stacks = synthesised(aws, google, azure)
}, 60_000)

real(
  'the policies are well formed, formatted, tested and covered',
  () => {
    const run = (...args: string[]) => execFileSync(opa ?? '', args, { encoding: 'utf8' })
    run('check', '--strict', folder)
    expect(run('fmt', '--list', folder)).toBe('')
    run('test', folder)
    run('test', folder, '--coverage', '--threshold', '99')
  },
  60_000,
)

real(
  'every synthesised stack passes',
  () => {
    for (const [name, stack] of Object.entries(stacks)) expect([name, findings(stack)]).toEqual([name, []])
  },
  60_000,
)

/** A weakness of each topic in a real stack: type, what is laid over its first resource, topic that must find it. */
const planted: readonly (readonly [string, string, Readonly<Record<string, unknown>>, string])[] = [
  ['aws-cluster', 'aws_eks_cluster', { vpc_config: { endpoint_public_access: true } }, 'ingress'],
  ['aws-cluster', 'aws_vpc_security_group_ingress_rule', { cidr_ipv4: '0.0.0.0/0' }, 'ingress'],
  ['aws-cluster', 'aws_cloudwatch_log_group', { kms_key_id: '' }, 'encryption'],
  ['aws-cluster', 'aws_s3_bucket', { object_lock_enabled: false }, 'retention'],
  ['aws-cluster', 'aws_ecr_repository', { image_tag_mutability: 'MUTABLE' }, 'retention'],
  ['aws-cluster', 'aws_kms_key', { tags: { project: 'postern' } }, 'tags'],
  ['google-cluster', 'google_container_cluster', { private_cluster_config: {} }, 'ingress'],
  ['google-cluster', 'google_storage_bucket', { retention_policy: { retention_period: 60 } }, 'retention'],
  ['google-cluster', 'google_project_iam_member', { role: 'roles/editor' }, 'access'],
  ['azure-cluster', 'azurerm_key_vault', { public_network_access_enabled: true }, 'ingress'],
  ['azure-cluster', 'azurerm_role_assignment', { role_definition_name: 'Owner' }, 'access'],
  ['azure-cluster', 'azurerm_storage_account', { customer_managed_key: {} }, 'encryption'],
  ['aws-platform', 'helm_release', { version: '>= 1.0.0' }, 'pins'],
  ['aws-platform', 'helm_release', { values: ['service: { type: LoadBalancer }'] }, 'charts'],
  [
    'aws-platform',
    'kubernetes_cluster_role_v1',
    { rule: [{ resources: ['secrets'], verbs: ['get'] }] },
    'access',
  ],
  ['aws-cluster', 'aws_eks_node_group', { remote_access: { ec2_ssh_key: 'k' } }, 'ingress'],
  ['aws-cluster', 'aws_route53_zone', { vpc: [] }, 'ingress'],
  ['aws-cluster', 'aws_s3_bucket_policy', { policy: '{}' }, 'access'],
  ['aws-cluster', 'aws_subnet', { count: 2 }, 'plain'],
  ['aws-cluster', 'aws_security_group', { description: '${var.text}' }, 'plain'],
  ['google-cluster', 'google_container_cluster', { control_plane_endpoints_config: {} }, 'ingress'],
  ['google-cluster', 'google_kms_crypto_key', { rotation_period: '' }, 'encryption'],
  ['google-cluster', 'google_compute_firewall', { source_ranges: ['8.0.0.0/8'] }, 'ingress'],
  ['google-cluster', 'google_dns_managed_zone_iam_member', { member: 'allAuthenticatedUsers' }, 'ingress'],
  ['azure-cluster', 'azurerm_log_analytics_workspace', { internet_query_enabled: true }, 'ingress'],
  ['azure-cluster', 'azurerm_container_registry', { encryption: [] }, 'encryption'],
  ['azure-cluster', 'azurerm_kubernetes_cluster', { run_command_enabled: true }, 'ingress'],
  ['azure-platform', 'kubernetes_storage_class_v1', { parameters: {} }, 'encryption'],
]

real(
  'a weakness planted into a real stack is found where it is, and nothing else',
  () => {
    for (const [name, type, attributes, topic] of planted) {
      const stack = stacks[name]!
      const [id, before] = Object.entries(stack.resource[type] ?? {})[0] ?? []
      const weak = {
        ...stack.resource,
        [type]: { ...stack.resource[type], [id ?? '']: { ...before, ...attributes } },
      }
      const told = findings({ ...stack, resource: weak })
      expect([name, type, ...new Set(told.map((finding) => `${finding.topic} ${finding.resource}`))]).toEqual(
        [name, type, `${topic} ${type}.${id ?? ''}`],
      )
    }
  },
  60_000,
)

real('a wildcard in a policy of the real stack is found', () => {
  const stack = stacks['aws-cluster']!
  const documents = stack.data?.aws_iam_policy_document ?? {}
  const id = Object.keys(documents).find((name) => name.startsWith('audit_shipper-document')) ?? ''
  const weak = { ...documents, [id]: { statement: [{ actions: ['s3:*'], resources: ['*'] }] } }
  expect(findings({ ...stack, data: { ...stack.data, aws_iam_policy_document: weak } })).toMatchObject([
    { topic: 'access', resource: `data.aws_iam_policy_document.${id}.statement[0]` },
    { topic: 'access' },
  ])
})

real('a resource of a type that nobody has looked at is found', () => {
  const stack = stacks['aws-cluster']!
  const told = findings({ ...stack, resource: { ...stack.resource, aws_instance: { x: {} } } })
  expect(told).toMatchObject([{ topic: 'types', resource: 'aws_instance.x' }])
})

test('the types that somebody has looked at are those of the stacks, and no more', () => {
  const used = Object.values(stacks).flatMap(({ resource, data }) => [
    ...Object.keys(resource),
    ...Object.keys(data ?? {}).map((type) => `data.${type}`),
  ])
  expect(reviewed().reviewed_types).toEqual([...new Set(used)].sort())
})

test('the types that must be tagged are those that are', () => {
  const tagged = Object.values(stacks).flatMap(({ resource }) =>
    Object.entries(resource).flatMap(([type, named]) =>
      Object.values(named).flatMap((attributes) =>
        ['tags', 'resource_labels', 'labels']
          .filter((name) => value(attributes, name, 'cost-center') !== undefined)
          .map((name) => [type, name] as const),
      ),
    ),
  )
  expect(reviewed().tag_attributes).toEqual(Object.fromEntries(tagged))
})

test('the planted weaknesses are laid over resources that exist', () => {
  for (const [name, type] of planted) expect(Object.keys(stacks[name]?.resource[type] ?? {})).not.toEqual([])
})
