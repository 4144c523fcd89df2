package infra_test

import data.infra

test_no_stack_does_not_pass if {
	count(infra.deny) == 1 with input as {}
}

told(given) := found if {
	found := {finding.resource | some finding in infra.deny; finding.topic == "stack"} with input as given
}

backend := {"backend": {"s3": {}}}

test_lists_are_not_read if {
	told({"terraform": backend, "resource": [{"aws_security_group": {"x": {}}}]}) == {"resource"}
	told({"terraform": backend, "resource": {"aws_security_group": [{"x": {}}]}}) == {"resource"}
	told({"terraform": backend, "resource": {"aws_security_group": {"x": [{}]}}}) == {"resource"}
	told({"terraform": backend, "resource": {}, "data": []}) == {"data"}
	told({"terraform": [backend], "resource": {}}) == {"terraform"}
	told({"resource": {}}) == {"terraform"}
	told({"terraform": backend, "resource": {"aws_security_group": {"x": {}}}}) == set()
}

test_findings_of_every_topic_arrive if {
	topics := {finding.topic | some finding in infra.deny} with input as {
		"terraform": {"required_providers": {"aws": {"version": "~> 5.0"}}},
		"data": {"aws_iam_policy_document": {"x": {"statement": [{"actions": ["*"], "resources": ["*"]}]}}},
		"resource": {"aws_s3_bucket": {"x": {"bucket": "audit"}}, "aws_instance": {"x": {"count": 2}}, "helm_release": {"x": {"chart": "x", "values": ["ingress: {enabled: true}"]}}},
	}
	topics == {"access", "charts", "encryption", "ingress", "pins", "plain", "retention", "stack", "tags", "types"}
}
