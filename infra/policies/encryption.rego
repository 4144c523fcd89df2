# METADATA
# title: What keeps data is encrypted with a key of ours
# description: A cloud's own encryption is opened by everybody with a right to read; a key of ours has rights of its own.
package infra.encryption

import data.infra.stack

# Where each type names its key.
_key := {
	"aws_eks_cluster": ["encryption_config", "provider", "key_arn"],
	"aws_cloudwatch_log_group": ["kms_key_id"],
	"google_container_cluster": ["database_encryption", "key_name"],
	"google_container_node_pool": ["node_config", "boot_disk_kms_key"],
	"google_storage_bucket": ["encryption", "default_kms_key_name"],
	"google_artifact_registry_repository": ["kms_key_name"],
	"azurerm_kubernetes_cluster": ["key_management_service", "key_vault_key_id"],
	"azurerm_storage_account": ["customer_managed_key", "key_vault_key_id"],
}

deny contains stack.finding("encryption", resource.id, message) if {
	some resource in stack.resources
	path := _key[resource.type]
	object.get(resource.attributes, path, "") == ""
	message := sprintf("name a key of yours in %s", [concat(".", path)])
}

deny contains stack.finding("encryption", resource.id, "set encryption_type to KMS and name a kms_key") if {
	some resource in stack.resources
	resource.type == "aws_ecr_repository"
	count([block |
		some block in stack.blocks(resource.attributes, "encryption_configuration")
		block.encryption_type == "KMS"
		stack.given(block, "kms_key")
	]) == 0
}

deny contains stack.finding("encryption", resource.id, "encrypt every disk with a kms_key_id") if {
	some resource in stack.resources
	resource.type == "aws_launch_template"
	not _disks_encrypted(resource)
}

deny contains stack.finding("encryption", resource.id, message) if {
	some resource in stack.resources
	resource.type == "aws_s3_bucket"
	count(stack.companions("aws_s3_bucket_server_side_encryption_configuration", resource)) == 0
	message := "add an aws_s3_bucket_server_side_encryption_configuration for it"
}

deny contains stack.finding("encryption", resource.id, "name a kms_master_key_id and the algorithm aws:kms") if {
	some resource in stack.resources
	resource.type == "aws_s3_bucket_server_side_encryption_configuration"
	some rule in stack.blocks(resource.attributes, "rule")
	some scheme in stack.blocks(rule, "apply_server_side_encryption_by_default")
	not _by_our_key(scheme)
}

deny contains stack.finding("encryption", resource.id, "set enable_key_rotation to true") if {
	some resource in stack.resources
	resource.type == "aws_kms_key"
	not resource.attributes.enable_key_rotation == true
}

deny contains stack.finding("encryption", resource.id, "keep the state in a backend that encrypts and locks it") if {
	some kind in {"local", "http"}
	input.terraform.backend[kind]
	resource := {"id": sprintf("terraform.backend.%s", [kind])}
}

_by_our_key(scheme) if {
	scheme.sse_algorithm == "aws:kms"
	stack.given(scheme, "kms_master_key_id")
}

_disks_encrypted(resource) if {
	mappings := stack.blocks(resource.attributes, "block_device_mappings")
	count(mappings) > 0
	every mapping in mappings {
		some disk in stack.blocks(mapping, "ebs")
		disk.encrypted == "true"
		stack.given(disk, "kms_key_id")
	}
}
