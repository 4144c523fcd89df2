package infra.tags_test

import data.infra.tags

complete := {"project": "p", "environment": "e", "owner": "o", "cost-center": "c"}

test_missing_and_empty if {
	count(tags.deny) == 1 with input as {"resource": {"aws_s3_bucket": {"x": {}}}}
	empty := object.union(complete, {"owner": ""})
	some finding in tags.deny with input as {"resource": {"azurerm_key_vault": {"x": {"tags": empty}}}}
	finding.message == "add owner to tags"
	count(tags.deny) == 1 with input as {"resource": {"google_container_cluster": {"x": {"labels": complete}}}}
}

test_complete_is_quiet if {
	count(tags.deny) == 0 with input as {"resource": {
		"aws_s3_bucket": {"x": {"tags": complete}},
		"google_container_cluster": {"x": {"resource_labels": complete}},
		"aws_route": {"x": {}},
	}}
}
