import { open } from './addresses.ts'
import { closedChart } from './charts.ts'
import { blocks, given, listed } from './read.ts'
import { absent, all, must } from './rule.ts'
import { byType, everyResource, type Attributes, type Rule, type Written } from './visit.ts'

const closed =
  (what: string, found: (attributes: Attributes) => boolean): Rule =>
  ({ attributes }) =>
    found(attributes) ? `it lets ${what} in; name the addresses that need it.` : undefined

const groupIsOpen = (group: Attributes): boolean =>
  blocks(group, 'ingress').some((rule) => open(rule.cidr_blocks) || open(rule.ipv6_cidr_blocks))

/** An address of the internet that nothing but a way out has. */
const usedBy =
  (type: string): Rule =>
  ({ companions }) =>
    companions(type).length > 0 ? undefined : `nothing but ${type} may have a public address.`

/** Rules for what can be reached from outside; add a row when a stack uses a type that can be public. */
const rules: Readonly<Record<string, Rule>> = {
  aws_eks_cluster: all(
    must(['vpc_config', 'endpoint_public_access'], false),
    must(['vpc_config', 'endpoint_private_access'], true),
  ),
  aws_eks_node_group: absent(
    'remote_access',
    'reach nodes by AWS Systems Manager: it opens SSH, to everybody where no group is named.',
  ),
  aws_subnet: must(['map_public_ip_on_launch'], false),
  aws_launch_template: all(
    ({ attributes }) =>
      blocks(attributes, 'network_interfaces').some(
        ({ associate_public_ip_address: associate = 'false' }) =>
          associate !== 'false' && associate !== false,
      )
        ? 'set associate_public_ip_address of network_interfaces to "false".'
        : undefined,
    must(['metadata_options', 'http_tokens'], 'required'),
    must(['metadata_options', 'http_put_response_hop_limit'], 1),
    absent('user_data', 'take user_data away: it runs on nodes as root, and nobody has looked at it.'),
  ),
  aws_eip: usedBy('aws_nat_gateway'),
  aws_route53_zone: ({ attributes }) =>
    blocks(attributes, 'vpc').length > 0 ? undefined : 'name its vpc: without one the zone is public.',
  aws_default_security_group: closed('everybody', groupIsOpen),
  aws_security_group: closed('everybody', groupIsOpen),
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
    companions('aws_s3_bucket_public_access_block', 'bucket').length > 0
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
    must(['control_plane_endpoints_config', 'dns_endpoint_config', 'allow_external_traffic'], false),
    must(['master_authorized_networks_config', 'gcp_public_cidrs_access_enabled'], false),
    closed('everybody', (cluster) =>
      blocks(cluster, 'master_authorized_networks_config', 'cidr_blocks').some((block) =>
        open(block.cidr_block),
      ),
    ),
  ),
  google_container_node_pool: must(['network_config', 'enable_private_nodes'], true),
  google_compute_firewall: closed(
    'everybody',
    (rule) =>
      rule.direction !== 'EGRESS' &&
      (open(rule.source_ranges) ||
        [rule.source_ranges, rule.source_tags, rule.source_service_accounts].every(
          (sources) => listed(sources).length === 0,
        )),
  ),
  google_compute_instance: ({ attributes }) =>
    blocks(attributes, 'network_interface', 'access_config').length > 0
      ? 'take access_config away.'
      : undefined,
  google_storage_bucket: must(['public_access_prevention'], 'enforced'),
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
    must(['shared_access_key_enabled'], false),
    must(['local_user_enabled'], false),
  ),
  azurerm_log_analytics_workspace: all(
    must(['internet_ingestion_enabled'], false),
    must(['internet_query_enabled'], false),
  ),
  azurerm_public_ip: usedBy('azurerm_nat_gateway_public_ip_association'),
  azurerm_storage_container: must(['container_access_type'], 'private'),
  azurerm_key_vault: must(['public_network_access_enabled'], false),
  azurerm_container_registry: all(
    must(['public_network_access_enabled'], false),
    must(['anonymous_pull_enabled'], false),
    must(['admin_enabled'], false),
  ),
  azurerm_network_security_group: closed('everybody', (group) =>
    blocks(group, 'security_rule').some(admitsEverybody),
  ),
  azurerm_network_security_rule: closed('everybody', (rule) => admitsEverybody(rule)),
  helm_release: closedChart,
}

/** An aspect: what can be reached from outside the network is an error. */
export const noPublicEndpoints = everyResource((resource) => byType(rules)(resource) ?? granted(resource))

/** Whoever a cloud's role, or a policy beside a resource, is given to. */
const granted = ({ type, attributes }: Written): string | undefined =>
  /^google_.*_iam_(member|binding|policy|audit_config)$/.test(type) && !membersNamed(attributes)
    ? 'it lets everybody in; name the accounts that need it.'
    : undefined

const membersNamed = ({ member, members, policy_data: policy }: Attributes): boolean =>
  policy === undefined &&
  [...listed(member), ...listed(members)].every(
    (each) => given(each) && /^(serviceAccount|group|user|principal):/.test(String(each)),
  )

const admitsEverybody = (rule: Attributes): boolean =>
  rule.direction === 'Inbound' &&
  rule.access === 'Allow' &&
  (open(rule.source_address_prefix) || open(rule.source_address_prefixes))
