import { parse } from 'yaml'
import { blocks, listed, value } from './read.ts'
import { all, must } from './rule.ts'
import { byType, everyResource, type Attributes, type Rule } from './visit.ts'

/** Addresses that mean everybody, as the clouds write them. */
const EVERYBODY = new Set(['0.0.0.0/0', '::/0', '*', 'Internet', 'Any', 'allUsers', 'allAuthenticatedUsers'])

/** Halves and quarters of the internet are the internet. */
const open = (found: unknown): boolean =>
  listed(found).some((address) => EVERYBODY.has(String(address)) || /\/[0-7]$/.test(String(address)))

const closed =
  (what: string, found: (attributes: Attributes) => boolean): Rule =>
  ({ attributes }) =>
    found(attributes) ? `it lets ${what} in; name the addresses that need it.` : undefined

/** Rules for what can be reached from outside; add a row when a stack uses a type that can be public. */
const rules: Readonly<Record<string, Rule>> = {
  aws_eks_cluster: all(
    must(['vpc_config', 'endpoint_public_access'], false),
    must(['vpc_config', 'endpoint_private_access'], true),
  ),
  aws_subnet: ({ attributes }) =>
    attributes.map_public_ip_on_launch === true ? 'set map_public_ip_on_launch to false.' : undefined,
  aws_launch_template: ({ attributes }) =>
    blocks(attributes, 'network_interfaces').some(
      (each) => String(each.associate_public_ip_address) === 'true',
    )
      ? 'set associate_public_ip_address of network_interfaces to "false".'
      : undefined,
  aws_security_group: closed('everybody', (group) =>
    blocks(group, 'ingress').some((rule) => open(rule.cidr_blocks) || open(rule.ipv6_cidr_blocks)),
  ),
  aws_security_group_rule: closed(
    'everybody',
    (rule) => rule.type === 'ingress' && (open(rule.cidr_blocks) || open(rule.ipv6_cidr_blocks)),
  ),
  aws_vpc_security_group_ingress_rule: closed(
    'everybody',
    (rule) => open(rule.cidr_ipv4) || open(rule.cidr_ipv6),
  ),
  aws_lb: must(['internal'], true),
  aws_db_instance: must(['publicly_accessible'], false),
  aws_s3_bucket: ({ companions }) =>
    companions('aws_s3_bucket_public_access_block').length > 0
      ? undefined
      : 'add an aws_s3_bucket_public_access_block for it.',
  aws_s3_bucket_public_access_block: all(
    must(['block_public_acls'], true),
    must(['block_public_policy'], true),
    must(['ignore_public_acls'], true),
    must(['restrict_public_buckets'], true),
  ),
  google_container_cluster: all(
    must(['private_cluster_config', 'enable_private_endpoint'], true),
    must(['private_cluster_config', 'enable_private_nodes'], true),
    closed('everybody', (cluster) =>
      blocks(cluster, 'master_authorized_networks_config', 'cidr_blocks').some((block) =>
        open(block.cidr_block),
      ),
    ),
  ),
  google_container_node_pool: must(['network_config', 'enable_private_nodes'], true),
  google_compute_firewall: closed(
    'everybody',
    (rule) => rule.direction !== 'EGRESS' && (rule.source_ranges === undefined || open(rule.source_ranges)),
  ),
  google_compute_instance: ({ attributes }) =>
    blocks(attributes, 'network_interface', 'access_config').length > 0
      ? 'take access_config away.'
      : undefined,
  google_storage_bucket: must(['public_access_prevention'], 'enforced'),
  google_storage_bucket_iam_member: closed('everybody', (binding) => open(binding.member)),
  google_storage_bucket_iam_binding: closed('everybody', (binding) => open(binding.members)),
  google_dns_managed_zone: must(['visibility'], 'private'),
  azurerm_kubernetes_cluster: all(
    must(['private_cluster_enabled'], true),
    must(['private_cluster_public_fqdn_enabled'], false),
    must(['run_command_enabled'], false),
    must(['default_node_pool', 'node_public_ip_enabled'], false),
  ),
  azurerm_kubernetes_cluster_node_pool: must(['node_public_ip_enabled'], false),
  azurerm_storage_account: all(
    must(['public_network_access_enabled'], false),
    must(['allow_nested_items_to_be_public'], false),
  ),
  azurerm_storage_container: must(['container_access_type'], 'private'),
  azurerm_key_vault: must(['public_network_access_enabled'], false),
  azurerm_container_registry: all(
    must(['public_network_access_enabled'], false),
    must(['anonymous_pull_enabled'], false),
  ),
  azurerm_network_security_group: closed('everybody', (group) =>
    blocks(group, 'security_rule').some(admitsEverybody),
  ),
  azurerm_network_security_rule: closed('everybody', (rule) => admitsEverybody(rule)),
  helm_release: ({ attributes }) => {
    const [service] = [
      ...listed(attributes.values).flatMap((text) => publicServices(parse(String(text)))),
      ...blocks(attributes, 'set').flatMap((each) => publicSetting(String(each.name), String(each.value))),
    ]
    return service === undefined
      ? undefined
      : `its value ${service} opens the cluster; put a gateway of your own in front.`
  },
}

/** An aspect: what can be reached from outside the network is an error. */
export const noPublicEndpoints = everyResource(byType(rules))

const admitsEverybody = (rule: Attributes): boolean =>
  rule.direction === 'Inbound' &&
  rule.access === 'Allow' &&
  (open(rule.source_address_prefix) || open(rule.source_address_prefixes))

/** Paths of values that make a Service of a kind that is reached from outside, an Ingress, or a Gateway. */
const publicServices = (values: unknown, path: readonly string[] = []): string[] => {
  if (typeof values !== 'object' || values === null) return []
  return Object.entries(values).flatMap(([key, found]) => {
    const here = [...path, key]
    if (key === 'type' && (found === 'LoadBalancer' || found === 'NodePort')) return [here.join('.')]
    if (key === 'kind' && (found === 'Ingress' || found === 'Gateway')) return [here.join('.')]
    if (key === 'ingress' && value(found as Attributes, 'enabled') === true)
      return [`${here.join('.')}.enabled`]
    return publicServices(found, here)
  })
}

/** The same, where one value is set by its path. */
const publicSetting = (path: string, found: string): string[] =>
  (/(^|\.)type$/.test(path) && (found === 'LoadBalancer' || found === 'NodePort')) ||
  (/(^|\.)ingress\.enabled$/.test(path) && found === 'true')
    ? [path]
    : []
