package infra.plain_test

import data.infra.plain

found(given) if count(plain.deny) > 0 with input as given

one(attributes) := {"resource": {"aws_s3_bucket": {"x": attributes}}}

test_what_is_worked_out_later if {
	found({"module": {"x": {"source": "terraform-aws-modules/eks/aws"}}})
	found({"variable": {"x": {"default": "0.0.0.0/0"}}})
	found({"locals": {"x": ""}})
	found(one({"count": 0}))
	found(one({"for_each": "${var.x}"}))
	found(one({"provisioner": [{"local-exec": {"command": "x"}}]}))
	found(one({"dynamic": {"rule": {"content": {}}}}))
	found(one({"rule": [{"dynamic": {"x": {}}}]}))
	found(one({"lifecycle": {"ignore_changes": "all"}}))
	found({"data": {"aws_iam_policy_document": {"x": {"dynamic": {"statement": {}}}}}})
}

test_expressions if {
	found(one({"ingress": "${[for key, val in toset([\"0.0.0.0/0\"]): {\"cidr_blocks\" = [val]}]}"}))
	found(one({"rule": [{"bucket": "${var.x}"}]}))
	found(one({"bucket": "%{ if true }x%{ endif }"}))
	not found(one({"bucket": "${aws_s3_bucket.x.id}/*", "text": "$${x} %%{y}", "chart": "${path.module}/x"}))
}

test_credentials if {
	found({"provider": {"aws": [{"access_key": "x"}]}})
	found({"provider": {"helm": [{"kubernetes": {"token": "x"}}]}})
	found({"provider": {"kubernetes": [{"insecure": true}]}})
	not found({"provider": {"kubernetes": [{"host": "x", "insecure": false}]}})
}

test_plain_is_quiet if {
	not found(one({"bucket": "x", "provisioner": [], "lifecycle": {"ignore_changes": ["tags"]}}))
	not found({"module": {}})
}
