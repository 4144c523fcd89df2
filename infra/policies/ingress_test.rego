package infra.ingress_test

import data.infra.ingress

one(type, attributes) := {"resource": {type: {"x": attributes}}}

found(given) if {
	some finding in ingress.deny with input as given
	finding.topic == "ingress"
}

test_public_cluster_of_each_cloud if {
	found(one("aws_eks_cluster", {"vpc_config": {"endpoint_public_access": true, "endpoint_private_access": true}}))
	found(one("aws_eks_cluster", {"vpc_config": {}}))
	found(one("google_container_cluster", {"private_cluster_config": {"enable_private_nodes": true}}))
	found(one("azurerm_kubernetes_cluster", {"private_cluster_enabled": true}))
}

test_private_cluster_is_quiet if {
	not found(one("aws_eks_cluster", {"vpc_config": {"endpoint_public_access": false, "endpoint_private_access": true}}))
	not found(one("google_container_cluster", {
		"control_plane_endpoints_config": {"dns_endpoint_config": {"allow_external_traffic": false}},
		"private_cluster_config": {"enable_private_nodes": true, "enable_private_endpoint": true},
		"master_authorized_networks_config": {"gcp_public_cidrs_access_enabled": false, "cidr_blocks": [{"cidr_block": "10.0.0.0/8"}]},
	}))
}

test_everybody_in_a_rule if {
	found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "0.0.0.0/0"}))
	found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv6": "::/0"}))
	found(one("aws_security_group", {"ingress": [{"cidr_blocks": ["10.0.0.0/8", "0.0.0.0/0"]}]}))
	found(one("aws_security_group_rule", {"type": "ingress", "ipv6_cidr_blocks": ["::/0"]}))
	found(one("google_compute_firewall", {"source_ranges": ["0.0.0.0/0"]}))
	found(one("google_compute_firewall", {}))
	found(one("google_storage_bucket_iam_member", {"member": "allUsers"}))
	found(one("azurerm_network_security_rule", {"direction": "Inbound", "access": "Allow", "source_address_prefix": "*"}))
	found(one("azurerm_network_security_group", {"security_rule": [{
		"direction": "Inbound",
		"access": "Allow",
		"source_address_prefix": "Internet",
	}]}))
	found(one("google_container_cluster", {
		"private_cluster_config": {"enable_private_nodes": true, "enable_private_endpoint": true},
		"master_authorized_networks_config": {"cidr_blocks": [{"cidr_block": "0.0.0.0/0"}]},
	}))
}

test_somebody_in_a_rule_is_quiet if {
	not found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "10.0.0.0/16"}))
	not found(one("aws_security_group_rule", {"type": "egress", "cidr_blocks": ["0.0.0.0/0"]}))
	not found(one("google_compute_firewall", {"direction": "EGRESS"}))
	not found(one("azurerm_network_security_rule", {"direction": "Inbound", "access": "Deny", "source_address_prefix": "*"}))
}

test_bucket_without_block if {
	found(one("aws_s3_bucket", {}))
	not found({"resource": {
		"aws_s3_bucket": {"x": {}},
		"aws_s3_bucket_public_access_block": {"y": {
			"bucket": "${aws_s3_bucket.x.id}",
			"block_public_acls": true,
			"block_public_policy": true,
			"ignore_public_acls": true,
			"restrict_public_buckets": true,
		}},
	}})
}

test_block_that_blocks_half if {
	found(one("aws_s3_bucket_public_access_block", {"block_public_acls": true}))
}

test_service_without_private_endpoint if {
	vault := {"public_network_access_enabled": false}
	found(one("azurerm_key_vault", vault))
	not found({"resource": {
		"azurerm_key_vault": {"x": vault},
		"azurerm_private_endpoint": {"y": {"private_service_connection": {"private_connection_resource_id": "${azurerm_key_vault.x.id}"}}},
	}})
}

test_everybody_by_other_ways if {
	found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "128.0.0.0/1"}))
	found(one("aws_security_group", {"ingress": [{"cidr_blocks": ["0.0.0.0/2"]}]}))
	found(one("google_compute_firewall", {"source_ranges": ["64.0.0.0/2"]}))
	inbound := {"direction": "Inbound", "access": "Allow"}
	several := object.union(inbound, {"source_address_prefixes": ["10.0.0.0/8", "0.0.0.0/1"]})
	found(one("azurerm_network_security_rule", several))
	found(one("google_storage_bucket_iam_binding", {"members": ["allUsers"]}))
	found(one("aws_launch_template", {"network_interfaces": [{"associate_public_ip_address": "true"}]}))
	not found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "10.0.0.0/8"}))
}

test_addresses_that_are_worked_out_later if {
	found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "${var.open}"}))
	found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "${join(\"/\", [\"0.0.0.0\", \"0\"])}"}))
	found(one("aws_security_group", {"ingress": [{"cidr_blocks": "${[\"0.0.0.0/0\"]}"}]}))
	found(one("google_project_iam_member", {"member": "${var.who}"}))
	not found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "${aws_vpc.network_vpc.cidr_block}"}))
}

test_what_is_public_though_small if {
	found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "8.0.0.0/8"}))
	found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv6": "2000::/3"}))
	found(one("azurerm_network_security_rule", {"direction": "Inbound", "access": "Allow", "source_address_prefix": "AzureCloud"}))
	not found(one("azurerm_network_security_rule", {"direction": "Inbound", "access": "Allow", "source_address_prefix": "VirtualNetwork"}))
	not found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "203.0.113.0/24"}))
	not found(one("aws_vpc_security_group_ingress_rule", {"cidr_ipv6": "2001:db8:1::/48"}))
	not found(one("azurerm_network_security_rule", {"direction": "Inbound", "access": "Allow", "source_address_prefix": "203.0.113.7"}))
}

test_firewall_of_google if {
	found(one("google_compute_firewall", {"source_ranges": []}))
	found(one("google_compute_firewall", {"direction": "INGRESS", "source_ranges": ["0.0.0.0/0"]}))
	not found(one("google_compute_firewall", {"source_tags": ["x"]}))
	found(one("google_storage_bucket_iam_policy", {"policy_data": "x"}))
}

test_doors_nobody_thinks_of if {
	found(one("aws_eks_node_group", {"remote_access": {"ec2_ssh_key": "x"}}))
	found(one("aws_eip", {"domain": "vpc"}))
	found(one("azurerm_public_ip", {}))
	found(one("aws_route53_zone", {"name": "x"}))
	not found({"resource": {"aws_eip": {"x": {}}, "aws_nat_gateway": {"y": {"allocation_id": "${aws_eip.x.id}"}}}})
	found(one("google_dns_managed_zone", {"visibility": "public"}))
	found(one("azurerm_log_analytics_workspace", {}))
}
