package infra.encryption_test

import data.infra.encryption

one(type, attributes) := {"resource": {type: {"x": attributes}}}

found(given) if {
	some finding in encryption.deny with input as given
	finding.topic == "encryption"
}

test_no_key if {
	found(one("aws_eks_cluster", {}))
	found(one("aws_cloudwatch_log_group", {"name": "x"}))
	found(one("google_container_node_pool", {"node_config": {}}))
	found(one("google_storage_bucket", {}))
	found(one("azurerm_storage_account", {"customer_managed_key": {"key_vault_key_id": ""}}))
}

test_key_is_quiet if {
	not found(one("aws_cloudwatch_log_group", {"kms_key_id": "${aws_kms_key.x.arn}"}))
	not found(one("azurerm_disk_encryption_set", {"key_vault_key_id": "${azurerm_key_vault_key.keys_disks.versionless_id}"}))
	not found(one("google_container_node_pool", {"node_config": [{"boot_disk_kms_key": "${google_kms_crypto_key.x.id}"}]}))
}

test_registry if {
	found(one("aws_ecr_repository", {}))
	found(one("aws_ecr_repository", {"encryption_configuration": [{"encryption_type": "AES256"}]}))
	not found(one("aws_ecr_repository", {"encryption_configuration": [{"encryption_type": "KMS", "kms_key": "k"}]}))
}

test_disks if {
	found(one("aws_launch_template", {}))
	found(one("aws_launch_template", {"block_device_mappings": [{"ebs": {"encrypted": "true"}}]}))
	found(one("aws_launch_template", {"block_device_mappings": [
		{"ebs": {"encrypted": "true", "kms_key_id": "k"}},
		{"ebs": {"encrypted": "false", "kms_key_id": "k"}},
	]}))
	not found(one("aws_launch_template", {"block_device_mappings": [{"ebs": {"encrypted": "true", "kms_key_id": "k"}}]}))
}

test_bucket if {
	found(one("aws_s3_bucket", {}))
	found(one("aws_s3_bucket_server_side_encryption_configuration", {"rule": [{"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}]}))
	not found({"resource": {
		"aws_s3_bucket": {"x": {}},
		"aws_s3_bucket_server_side_encryption_configuration": {"y": {
			"bucket": "${aws_s3_bucket.x.id}",
			"rule": [{"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": "k"}}],
		}},
	}})
}

test_rotation if {
	found(one("aws_kms_key", {}))
	not found(one("aws_kms_key", {"enable_key_rotation": true}))
}

test_state if {
	found({"resource": {}, "terraform": {"backend": {"local": {"path": "x"}}}})
	found({"resource": {}, "terraform": {"backend": {"remote": {}}}})
	found({"resource": {}, "terraform": {"backend": {"s3": {"encrypt": true, "kms_key_id": "k"}}}})
	found({"resource": {}, "terraform": {"backend": {"s3": {"encrypt": true, "kms_key_id": "k", "use_lockfile": true, "access_key": "x"}}}})
	not found({"resource": {}, "terraform": {"backend": {"s3": {"encrypt": true, "kms_key_id": "k", "use_lockfile": true}}}})
	found({"resource": {}, "terraform": {"backend": {"gcs": {"bucket": "x"}}}})
	found({"resource": {}, "terraform": {"backend": {"azurerm": {"access_key": "x"}}}})
	not found({"resource": {}, "terraform": {"backend": {"azurerm": {"use_azuread_auth": true}}}})
}

test_keys_that_say_nothing if {
	found(one("aws_cloudwatch_log_group", {"kms_key_id": "${null}"}))
	found(one("aws_cloudwatch_log_group", {"kms_key_id": "${var.key}"}))
	found(one("aws_cloudwatch_log_group", {"kms_key_id": " "}))
	found(one("azurerm_container_registry", {"encryption": [{"key_vault_key_id": ""}]}))
	not found(one("azurerm_container_registry", {"encryption": [{"key_vault_key_id": "${azurerm_key_vault_key.x.versionless_id}"}]}))
	not found(one("aws_cloudwatch_log_group", {"kms_key_id": "$${text}"}))
}

test_other_data if {
	found(one("kubernetes_storage_class_v1", {"parameters": {"type": "gp3"}}))
	not found(one("kubernetes_storage_class_v1", {"parameters": {"kmsKeyId": "k"}}))
	found(one("google_logging_project_bucket_config", {"bucket_id": "x"}))
	not found(one("google_logging_project_bucket_config", {"bucket_id": "_Default"}))
	found(one("azurerm_key_vault", {"purge_protection_enabled": false}))
	found(one("azurerm_kubernetes_cluster_node_pool", {}))
	found(one("google_kms_crypto_key", {"name": "x"}))
}
