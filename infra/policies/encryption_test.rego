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
	not found(one("azurerm_storage_account", {"customer_managed_key": {"key_vault_key_id": "${k.id}"}}))
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
	not found({"resource": {}, "terraform": {"backend": {"s3": {"encrypt": true}}}})
}
