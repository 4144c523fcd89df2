# METADATA
# title: Nothing is reached from outside
# description: No rule lets everybody in, and what has an endpoint has a private one only.
package infra.ingress

import data.infra.stack

# Ranges that no router of the internet carries, and words of Azure for addresses inside.
_private := {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"}

_inside := {"VirtualNetwork", "AzureLoadBalancer"}

# What must be exactly so, as the cloud's own default is public or unknown.
_required := {
	"aws_eks_cluster": {["vpc_config", "endpoint_public_access", false], ["vpc_config", "endpoint_private_access", true]},
	"aws_s3_bucket_public_access_block": {
		["block_public_acls", true], ["block_public_policy", true],
		["ignore_public_acls", true], ["restrict_public_buckets", true],
	},
	"google_container_cluster": {
		["private_cluster_config", "enable_private_endpoint", true],
		["private_cluster_config", "enable_private_nodes", true],
		["control_plane_endpoints_config", "dns_endpoint_config", "allow_external_traffic", false],
		["master_authorized_networks_config", "gcp_public_cidrs_access_enabled", false],
	},
	"google_container_node_pool": {["network_config", "enable_private_nodes", true]},
	"google_dns_managed_zone": {["visibility", "private"]},
	"aws_subnet": {["map_public_ip_on_launch", false]},
	"aws_launch_template": {["metadata_options", "http_tokens", "required"], ["metadata_options", "http_put_response_hop_limit", 1]},
	"azurerm_kubernetes_cluster_node_pool": {["node_public_ip_enabled", false]},
	"azurerm_storage_container": {["container_access_type", "private"]},
	"azurerm_log_analytics_workspace": {["internet_ingestion_enabled", false], ["internet_query_enabled", false]},
	"google_storage_bucket": {["public_access_prevention", "enforced"], ["uniform_bucket_level_access", true]},
	"azurerm_kubernetes_cluster": {
		["private_cluster_enabled", true], ["private_cluster_public_fqdn_enabled", false],
		["run_command_enabled", false], ["local_account_disabled", true], ["default_node_pool", "node_public_ip_enabled", false],
	},
	"azurerm_storage_account": {
		["public_network_access_enabled", false], ["shared_access_key_enabled", false],
		["allow_nested_items_to_be_public", false], ["local_user_enabled", false],
	},
	"azurerm_key_vault": {["public_network_access_enabled", false]},
	"azurerm_container_registry": {
		["public_network_access_enabled", false], ["admin_enabled", false], ["anonymous_pull_enabled", false],
	},
}

deny contains stack.finding("ingress", resource.id, message) if {
	some resource in stack.resources
	some requirement in _required[resource.type]
	path := array.slice(requirement, 0, count(requirement) - 1)
	wanted := requirement[count(requirement) - 1]
	stack.values(resource.attributes, path) != {wanted}
	message := sprintf("set %s to %v", [concat(".", path), wanted])
}

deny contains stack.finding("ingress", resource.id, "it lets everybody in; name the addresses that need it") if {
	some resource in stack.resources
	_admits_everybody(resource)
}

deny contains stack.finding("ingress", resource.id, "add an aws_s3_bucket_public_access_block for it") if {
	some resource in stack.resources
	resource.type == "aws_s3_bucket"
	count(stack.companions("aws_s3_bucket_public_access_block", resource, "bucket")) == 0
}

deny contains stack.finding("ingress", resource.id, "use a private endpoint: add an azurerm_private_endpoint for it") if {
	some resource in stack.resources
	resource.type in {"azurerm_storage_account", "azurerm_key_vault", "azurerm_container_registry"}
	count(stack.companions("azurerm_private_endpoint", resource, "private_service_connection")) == 0
}

deny contains stack.finding("ingress", resource.id, message) if {
	some resource in stack.resources
	some argument, remedy in _forbidden[resource.type]
	count(stack.listed(resource.attributes[argument])) > 0
	message := sprintf("take %s away: %s", [argument, remedy])
}

deny contains stack.finding("ingress", resource.id, message) if {
	some resource in stack.resources
	[type, attribute] := _way_out[resource.type]
	count(stack.companions(type, resource, attribute)) == 0
	message := sprintf("nothing but %s may have a public address", [type])
}

deny contains stack.finding("ingress", resource.id, "name its vpc: without one the zone is public") if {
	some resource in stack.resources
	resource.type == "aws_route53_zone"
	count(stack.blocks(resource.attributes, "vpc")) == 0
}

_forbidden := {
	"aws_eks_node_group": {"remote_access": "it opens SSH, to everybody where no group is named"},
	"aws_launch_template": {"user_data": "it runs on nodes as root, and nobody has looked at it"},
}

_way_out := {
	"aws_eip": ["aws_nat_gateway", "allocation_id"],
	"azurerm_public_ip": ["azurerm_nat_gateway_public_ip_association", "public_ip_address_id"],
}

_admits_everybody(resource) if {
	resource.type == "aws_vpc_security_group_ingress_rule"
	some key in {"cidr_ipv4", "cidr_ipv6"}
	_open(resource.attributes[key])
}

_admits_everybody(resource) if {
	resource.type in {"aws_security_group", "aws_default_security_group"}
	some block in stack.blocks(resource.attributes, "ingress")
	_open_block(block)
}

_admits_everybody(resource) if {
	resource.type == "aws_security_group_rule"
	resource.attributes.type == "ingress"
	_open_block(resource.attributes)
}

_admits_everybody(resource) if {
	resource.type == "google_compute_firewall"
	resource.attributes.direction != "EGRESS"
	_open_firewall(resource.attributes)
}

_admits_everybody(resource) if {
	resource.type == "google_compute_firewall"
	not resource.attributes.direction
	_open_firewall(resource.attributes)
}

_admits_everybody(resource) if {
	regex.match(`^google_.*_iam_(member|binding)$`, resource.type)
	some key in {"member", "members"}
	some member in stack.listed(resource.attributes[key])
	not _named_member(member)
}

_admits_everybody(resource) if regex.match(`^google_.*_iam_(policy|audit_config)$`, resource.type)

_admits_everybody(resource) if {
	resource.type == "aws_launch_template"
	some interface in stack.blocks(resource.attributes, "network_interfaces")
	not object.get(interface, "associate_public_ip_address", "false") in {false, "false"}
}

_admits_everybody(resource) if {
	resource.type == "google_container_cluster"
	some networks in stack.blocks(resource.attributes, "master_authorized_networks_config")
	some block in stack.blocks(networks, "cidr_blocks")
	_open(block.cidr_block)
}

_admits_everybody(resource) if {
	resource.type == "azurerm_network_security_rule"
	_inbound_from_everybody(resource.attributes)
}

_admits_everybody(resource) if {
	resource.type == "azurerm_network_security_group"
	some rule in stack.blocks(resource.attributes, "security_rule")
	_inbound_from_everybody(rule)
}

_inbound_from_everybody(rule) if {
	rule.direction == "Inbound"
	rule.access == "Allow"
	some key in {"source_address_prefix", "source_address_prefixes"}
	some source in stack.listed(rule[key])
	_open(source)
}

_open_block(block) if {
	some key in {"cidr_blocks", "ipv6_cidr_blocks"}
	some range in stack.listed(block[key])
	_open(range)
}

_open_firewall(rule) if {
	some range in stack.listed(rule.source_ranges)
	_open(range)
}

_open_firewall(rule) if {
	every key in {"source_ranges", "source_tags", "source_service_accounts"} {
		count(stack.listed(object.get(rule, key, []))) == 0
	}
}

# Everything but what somebody named: what is worked out later is everybody.
_open(range) if not _named(range)

_named(range) if range in _inside

_named(range) if {
	not contains(range, "/")
	regex.match(`^[0-9]{1,3}([.][0-9]{1,3}){3}$`, range)
}

_named(range) if {
	some private in _private
	net.cidr_contains(private, range)
}

_named(range) if {
	not contains(range, ":")
	to_number(split(range, "/")[1]) >= 24
}

_named(range) if {
	contains(range, ":")
	to_number(split(range, "/")[1]) >= 48
}

_named(range) if {
	contains(range, "${")
	stack.settled(range)
}

_named_member(member) if {
	regex.match(`^(serviceAccount|group|user|principal):`, member)
	stack.settled(member)
}
