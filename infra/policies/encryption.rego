# METADATA
# title: What keeps data is encrypted with a key of ours
# description: A cloud's own encryption is opened by everybody with a right to read; a key of ours has rights of its own.
package infra.encryption

import data.infra.stack

# Where each type names its key.
_key := {
	"aws_eks_cluster": {["encryption_config", "provider", "key_arn"]},
	"aws_cloudwatch_log_group": {["kms_key_id"]},
	"google_container_cluster": {["database_encryption", "key_name"], ["node_config", "boot_disk_kms_key"]},
	"google_container_node_pool": {["node_config", "boot_disk_kms_key"]},
	"google_storage_bucket": {["encryption", "default_kms_key_name"]},
	"google_artifact_registry_repository": {["kms_key_name"]},
	"google_kms_crypto_key": {["rotation_period"]},
	"azurerm_kubernetes_cluster": {["key_management_service", "key_vault_key_id"], ["disk_encryption_set_id"]},
	"azurerm_storage_account": {["customer_managed_key", "key_vault_key_id"]},
	"azurerm_container_registry": {["encryption", "key_vault_key_id"]},
	"azurerm_disk_encryption_set": {["key_vault_key_id"]},
	"azurerm_key_vault_key": {["rotation_policy", "automatic", "time_after_creation"]},
}

# What else must be exactly so.
_required := {
	"google_container_cluster": {["database_encryption", "state", "ENCRYPTED"]},
	"azurerm_kubernetes_cluster": {["default_node_pool", "host_encryption_enabled", true]},
	"azurerm_kubernetes_cluster_node_pool": {["host_encryption_enabled", true]},
	"azurerm_storage_account": {
		["infrastructure_encryption_enabled", true],
		["https_traffic_only_enabled", true], ["min_tls_version", "TLS1_2"],
	},
	"azurerm_key_vault": {["purge_protection_enabled", true]},
}

deny contains stack.finding("encryption", resource.id, message) if {
	some resource in stack.resources
	some requirement in _required[resource.type]
	path := array.slice(requirement, 0, count(requirement) - 1)
	wanted := requirement[count(requirement) - 1]
	stack.values(resource.attributes, path) != {wanted}
	message := sprintf("set %s to %v", [concat(".", path), wanted])
}

deny contains stack.finding("encryption", resource.id, "name the key of its disks in parameters") if {
	some resource in stack.resources
	startswith(resource.type, "kubernetes_storage_class")
	count([key |
		some key in {"kmsKeyId", "disk-encryption-kms-key", "diskEncryptionSetID"}
		stack.given_at(resource.attributes, ["parameters", key])
	]) == 0
}

deny contains stack.finding("encryption", resource.id, message) if {
	some resource in stack.resources
	resource.type == "google_logging_project_bucket_config"

	# Every project has this one, which takes no key afterwards; logs.ts keeps what matters out of it.
	resource.attributes.bucket_id != "_Default"
	not stack.given_at(resource.attributes, ["cmek_settings", "kms_key_name"])
	message := "name a key of yours in cmek_settings.kms_key_name"
}

deny contains stack.finding("encryption", resource.id, message) if {
	some resource in stack.resources
	some path in _key[resource.type]
	not stack.given_at(resource.attributes, path)
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
	count(stack.companions("aws_s3_bucket_server_side_encryption_configuration", resource, "bucket")) == 0
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
	some kind, _ in input.terraform.backend
	not kind in {"s3", "gcs", "azurerm"}
	resource := {"id": sprintf("terraform.backend.%s", [kind])}
}

deny contains stack.finding("encryption", "terraform.backend.s3", "set encrypt and use_lockfile to true, and name a kms_key_id") if {
	backend := input.terraform.backend.s3
	not _locked_state(backend)
}

deny contains stack.finding("encryption", "terraform.backend.gcs", "name a key of yours in kms_encryption_key") if {
	backend := input.terraform.backend.gcs
	not stack.given(backend, "kms_encryption_key")
}

deny contains stack.finding("encryption", "terraform.backend.azurerm", "set use_azuread_auth to true") if {
	backend := input.terraform.backend.azurerm
	not _by_identity(backend)
}

deny contains stack.finding("encryption", sprintf("terraform.backend.%s", [kind]), "log in where it is applied, and write no credential") if {
	some kind, backend in input.terraform.backend
	some name in {"access_key", "secret_key", "token", "credentials", "access_token", "sas_token", "client_secret"}
	backend[name]
}

_locked_state(backend) if {
	backend.encrypt == true
	backend.use_lockfile == true
	stack.given(backend, "kms_key_id")
}

_by_identity(backend) if backend.use_azuread_auth == true

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
