package infra.retention_test

import data.infra.retention

found(given) if count(retention.deny) > 0 with input as given

bucket := {"bucket": "x-audit-1", "object_lock_enabled": true, "lifecycle": {"prevent_destroy": true}}

lock(days) := {"bucket": "${aws_s3_bucket.x.id}", "rule": {"default_retention": {"mode": "COMPLIANCE", "days": days}}}

aws(attributes, configuration) := {"resource": {
	"aws_s3_bucket": {"x": attributes},
	"aws_s3_bucket_object_lock_configuration": {"y": configuration},
}}

test_aws if {
	not found(aws(bucket, lock(400)))
	found(aws(bucket, lock(30)))
	found(aws(object.remove(bucket, ["object_lock_enabled"]), lock(400)))
	found(aws(object.remove(bucket, ["lifecycle"]), lock(400)))
	found({"resource": {"aws_s3_bucket": {"x": bucket}}})
	found({"resource": {"aws_s3_bucket": {"x": {"bucket": "records"}}}})
	found({"resource": {"aws_s3_bucket": {"x": {"bucket": "${var.name}"}}}})
	not found({"resource": {"aws_s3_bucket": {"x": {"bucket": "x-loki-1"}}}})
	found({"resource": {"aws_s3_bucket": {"x": {"bucket": "x-loki-1", "force_destroy": true}}}})
	found({"resource": {"aws_eks_cluster": {"x": {}}}})
}

test_google if {
	kept := {"name": "x-audit-1", "lifecycle": {"prevent_destroy": true}, "retention_policy": {"retention_period": 34560000}}
	not found({"resource": {"google_storage_bucket": {"x": kept}}})
	found({"resource": {"google_storage_bucket": {"x": object.remove(kept, ["retention_policy"])}}})
}

test_azure if {
	container := {"azurerm_storage_container": {"x": {"name": "audit"}}}
	found({"resource": container})
	policy := {"storage_container_resource_manager_id": "${azurerm_storage_container.x.id}", "immutability_period_in_days": 400}
	not found({"resource": object.union(container, {"azurerm_storage_container_immutability_policy": {"y": policy}})})
	found({"resource": {"azurerm_storage_account": {"x": {"name": "pauditx"}}}})
}

test_images if {
	found({"resource": {"aws_ecr_repository": {"x": {"image_tag_mutability": "MUTABLE", "image_scanning_configuration": {"scan_on_push": true}}}}})
	found({"resource": {"aws_ecr_repository": {"x": {"image_tag_mutability": "IMMUTABLE"}}}})
	not found({"resource": {"aws_ecr_repository": {"x": {"image_tag_mutability": "IMMUTABLE", "image_scanning_configuration": {"scan_on_push": true}}}}})
	found({"resource": {"google_artifact_registry_repository": {"x": {}}}})
}

replication(one) := {"resource": {"aws_s3_bucket_replication_configuration": {"x": {"rule": [one]}}}}

test_copies if {
	rule := {
		"destination": {
			"bucket": "${aws_s3_bucket.y.arn}",
			"encryption_configuration": {"replica_kms_key_id": "${aws_kms_key.y.arn}"},
		},
		"delete_marker_replication": {"status": "Disabled"},
	}
	not found(replication(rule))
	found(replication(object.union(rule, {"destination": {"bucket": "arn:aws:s3:::somebody"}})))
	found(replication(object.remove(rule, ["delete_marker_replication"])))
}
