# METADATA
# title: Nothing is reached from outside
# description: No rule lets everybody in, and what has an endpoint has a private one only.
package infra.ingress

import data.infra.stack

_everybody := {"0.0.0.0/0", "::/0", "*", "Internet", "Any", "allUsers", "allAuthenticatedUsers"}

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
	},
	"google_storage_bucket": {["public_access_prevention", "enforced"], ["uniform_bucket_level_access", true]},
	"azurerm_kubernetes_cluster": {["private_cluster_enabled", true], ["private_cluster_public_fqdn_enabled", false]},
	"azurerm_storage_account": {["public_network_access_enabled", false], ["shared_access_key_enabled", false]},
	"azurerm_key_vault": {["public_network_access_enabled", false]},
	"azurerm_container_registry": {["public_network_access_enabled", false], ["admin_enabled", false]},
}

deny contains stack.finding("ingress", resource.id, message) if {
	some resource in stack.resources
	some requirement in _required[resource.type]
	path := array.slice(requirement, 0, count(requirement) - 1)
	wanted := requirement[count(requirement) - 1]
	not object.get(resource.attributes, path, null) == wanted
	message := sprintf("set %s to %v", [concat(".", path), wanted])
}

deny contains stack.finding("ingress", resource.id, "it lets everybody in; name the addresses that need it") if {
	some resource in stack.resources
	_admits_everybody(resource)
}

deny contains stack.finding("ingress", resource.id, "add an aws_s3_bucket_public_access_block for it") if {
	some resource in stack.resources
	resource.type == "aws_s3_bucket"
	count(stack.companions("aws_s3_bucket_public_access_block", resource)) == 0
}

deny contains stack.finding("ingress", resource.id, "use a private endpoint: add an azurerm_private_endpoint for it") if {
	some resource in stack.resources
	resource.type in {"azurerm_storage_account", "azurerm_key_vault", "azurerm_container_registry"}
	count(stack.companions("azurerm_private_endpoint", resource)) == 0
}

_admits_everybody(resource) if {
	resource.type == "aws_vpc_security_group_ingress_rule"
	some key in {"cidr_ipv4", "cidr_ipv6"}
	_means_everybody(resource.attributes[key])
}

_admits_everybody(resource) if {
	resource.type in {"aws_security_group", "aws_default_security_group"}
	some block in stack.blocks(resource.attributes, "ingress")
	_open(block)
}

_admits_everybody(resource) if {
	resource.type == "aws_security_group_rule"
	resource.attributes.type == "ingress"
	_open(resource.attributes)
}

_admits_everybody(resource) if {
	resource.type == "google_compute_firewall"
	object.get(resource.attributes, "direction", "INGRESS") == "INGRESS"
	some range in object.get(resource.attributes, "source_ranges", ["0.0.0.0/0"])
	_means_everybody(range)
}

_admits_everybody(resource) if {
	endswith(resource.type, "_iam_member")
	resource.attributes.member in _everybody
}

_admits_everybody(resource) if {
	endswith(resource.type, "_iam_binding")
	some member in resource.attributes.members
	member in _everybody
}

_admits_everybody(resource) if {
	resource.type == "aws_launch_template"
	some interface in stack.blocks(resource.attributes, "network_interfaces")
	interface.associate_public_ip_address in {true, "true"}
}

_admits_everybody(resource) if {
	resource.type == "google_container_cluster"
	some networks in stack.blocks(resource.attributes, "master_authorized_networks_config")
	some block in stack.blocks(networks, "cidr_blocks")
	_means_everybody(block.cidr_block)
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
	some source in array.concat(
		[object.get(rule, "source_address_prefix", "")],
		object.get(rule, "source_address_prefixes", []),
	)
	_means_everybody(source)
}

_means_everybody(range) if range in _everybody

# Halves and quarters of the internet are the internet.
_means_everybody(range) if regex.match(`/[0-7]$`, range)

_open(block) if {
	some key in {"cidr_blocks", "ipv6_cidr_blocks"}
	some range in block[key]
	_means_everybody(range)
}
