# METADATA
# title: Audit records cannot be deleted, images cannot be exchanged
# description: The audit bucket is locked on every cloud and survives destroy; tags of images never move.
package infra.retention

import data.infra.stack

# Half a year is the least that the EU AI Act asks of providers of high-risk systems (article 19).
_least_days := 183

deny contains stack.finding("retention", resource.id, "set object_lock_enabled and add its configuration") if {
	some resource in stack.resources
	_audit_bucket(resource, "aws_s3_bucket", "bucket")
	not _locked_bucket(resource)
}

deny contains stack.finding("retention", resource.id, "give it a retention_policy of at least 183 days") if {
	some resource in stack.resources
	_audit_bucket(resource, "google_storage_bucket", "name")
	object.get(resource.attributes, ["retention_policy", "retention_period"], 0) < _least_days * 86400
}

deny contains stack.finding("retention", resource.id, message) if {
	some resource in stack.resources
	_audit_bucket(resource, "azurerm_storage_container", "name")
	message := "add an azurerm_storage_container_immutability_policy of at least 183 days"
	count([policy |
		some policy in stack.companions("azurerm_storage_container_immutability_policy", resource, "storage_container_resource_manager_id")
		policy.attributes.immutability_period_in_days >= _least_days
	]) == 0
}

deny contains stack.finding("retention", resource.id, "set lifecycle.prevent_destroy, or destroy takes the evidence") if {
	some resource in stack.resources
	some [type, key] in {
		["aws_s3_bucket", "bucket"],
		["google_storage_bucket", "name"],
		["azurerm_storage_account", "name"],
	}
	_audit_bucket(resource, type, key)
	not object.get(resource.attributes, ["lifecycle", "prevent_destroy"], false) == true
}

deny contains stack.finding("retention", resource.id, "take force_destroy away") if {
	some resource in stack.resources
	some key in {"force_destroy", "force_delete"}
	resource.attributes[key] == true
}

deny contains stack.finding("retention", resource.id, "set image_tag_mutability to IMMUTABLE") if {
	some resource in stack.resources
	resource.type == "aws_ecr_repository"
	not resource.attributes.image_tag_mutability == "IMMUTABLE"
}

deny contains stack.finding("retention", resource.id, "set image_scanning_configuration.scan_on_push to true") if {
	some resource in stack.resources
	resource.type == "aws_ecr_repository"
	not object.get(resource.attributes, ["image_scanning_configuration", "scan_on_push"], false) == true
}

deny contains stack.finding("retention", resource.id, "set docker_config.immutable_tags to true") if {
	some resource in stack.resources
	resource.type == "google_artifact_registry_repository"
	not object.get(resource.attributes, ["docker_config", "immutable_tags"], false) == true
}

deny contains stack.finding("retention", resource.id, "add the bucket or container of audit records, locked, beside the cluster") if {
	some resource in stack.resources
	some bucket, key in _bucket_of[resource.type]
	count([other | some other in stack.resources; _audit_bucket(other, bucket, key)]) == 0
}

deny contains stack.finding("retention", resource.id, "copy to a bucket of this stack, under a key of ours, and no deletions") if {
	some resource in stack.resources
	resource.type == "aws_s3_bucket_replication_configuration"
	some rule in stack.blocks(resource.attributes, "rule")
	not _copies_home(rule)
}

_copies_home(rule) if {
	every bucket in stack.values(rule, ["destination", "bucket"]) {
		regex.match(`^\$\{aws_s3_bucket\.[A-Za-z0-9_-]+\.arn\}$`, bucket)
	}
	stack.given_at(rule, ["destination", "encryption_configuration", "replica_kms_key_id"])
	stack.values(rule, ["delete_marker_replication", "status"]) == {"Disabled"}
}

# Where a cloud's cluster has its records, and by which attribute the place is known.
_bucket_of := {
	"aws_eks_cluster": {"aws_s3_bucket": "bucket"},
	"google_container_cluster": {"google_storage_bucket": "name"},
	"azurerm_kubernetes_cluster": {"azurerm_storage_container": "name"},
}

# Everything but the logs of Loki, which it deletes itself.
_audit_bucket(resource, type, key) if {
	resource.type == type
	not contains(object.get(resource.attributes, key, ""), "loki")
}

_locked_bucket(resource) if {
	resource.attributes.object_lock_enabled == true
	some lock in stack.companions("aws_s3_bucket_object_lock_configuration", resource, "bucket")
	lock.attributes.rule.default_retention.mode in {"COMPLIANCE", "GOVERNANCE"}
	lock.attributes.rule.default_retention.days >= _least_days
}
