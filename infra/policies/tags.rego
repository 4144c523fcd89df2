# METADATA
# title: Every resource says whose it is
# description: Types that take tags are known by those that carry any; the ones below always take them.
package infra.tags

import data.infra.stack

_required := {"project", "environment", "owner", "cost-center"}

# Types that cost money or keep data, and what each calls its tags.
_attribute := {
	"aws_eks_cluster": "tags",
	"aws_eks_node_group": "tags",
	"aws_kms_key": "tags",
	"aws_s3_bucket": "tags",
	"aws_ecr_repository": "tags",
	"aws_nat_gateway": "tags",
	"aws_vpc": "tags",
	"aws_iam_role": "tags",
	"google_container_cluster": "resource_labels",
	"google_storage_bucket": "labels",
	"google_kms_crypto_key": "labels",
	"google_artifact_registry_repository": "labels",
	"azurerm_resource_group": "tags",
	"azurerm_kubernetes_cluster": "tags",
	"azurerm_kubernetes_cluster_node_pool": "tags",
	"azurerm_storage_account": "tags",
	"azurerm_key_vault": "tags",
	"azurerm_container_registry": "tags",
	"azurerm_nat_gateway": "tags",
}

deny contains stack.finding("tags", resource.id, message) if {
	some resource in stack.resources
	attribute := _attribute[resource.type]
	has := {key | some key, value in object.get(resource.attributes, attribute, {}); value != ""}
	missing := _required - has
	count(missing) > 0
	message := sprintf("add %s to %s", [concat(", ", sort(missing)), attribute])
}
