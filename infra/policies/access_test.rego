package infra.access_test

import data.infra.access

found(given) if count(access.deny) > 0 with input as given

document(statement) := {"data": {"aws_iam_policy_document": {"x": {"statement": [statement]}}}}

one(type, attributes) := {"resource": {type: {"x": attributes}}}

test_wildcards if {
	found(document({"actions": ["*"], "resources": ["arn:x"]}))
	found(document({"actions": ["s3:*"], "resources": ["arn:x"]}))
	found(document({"actions": ["s3:GetObject"], "resources": ["*"]}))
	found(document({"actions": ["kms:Decrypt"], "resources": ["*"]}))
	found(document({"actions": ["s3:GetObject"], "resources": ["arn:x"], "principals": [{"type": "AWS", "identifiers": ["*"]}]}))
	found(document({"actions": ["s3:Get*"], "resources": ["arn:aws:s3:::x"]}))
	found(document({"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::*"]}))
	found(document({"actions": ["s3:GetObject"], "resources": ["${var.x}"]}))
	found(document({"actions": ["sts:AssumeRole"], "principals": [{"type": "AWS", "identifiers": ["arn:aws:iam::*:root"]}]}))
	found(document({"actions": ["sts:AssumeRole"], "principals": [{"type": "AWS", "identifiers": ["${var.x}"]}]}))
	found(document({"actions": ["sts:AssumeRole"], "principals": [{"type": "*", "identifiers": ["x"]}]}))
	found(one("azurerm_role_definition", {"permissions": [{"actions": ["Microsoft.Storage/*"]}]}))
}

test_policies_that_nobody_reads if {
	found(document({"not_actions": ["iam:CreateUser"], "resources": ["arn:x"]}))
	found(document({"actions": ["s3:GetObject"], "not_resources": ["arn:x"]}))
	found({"data": {"aws_iam_policy_document": {"x": {"source_policy_documents": ["{}"]}}}})
	found(one("aws_iam_role_policy", {"policy": json.marshal({"Statement": [{"Effect": "Allow", "Action": "s3:*"}]})}))
	found(one("aws_s3_bucket_policy", {"policy": "${jsonencode({})}"}))
	found(one("aws_iam_role", {"assume_role_policy": "{}"}))
	not found(one("aws_iam_role", {"assume_role_policy": "${data.aws_iam_policy_document.a_b-c_1.json}"}))
	not found(document({"effect": "Deny", "not_actions": ["s3:GetObject"], "resources": ["*"]}))
}

test_what_has_no_single_resource if {
	not found(document({"actions": ["ec2:DescribeImages", "autoscaling:DescribeTags"], "resources": ["*"]}))
	found(document({"actions": ["ec2:DescribeImages", "ec2:RunInstances"], "resources": ["*"]}))
}

test_named_is_quiet if {
	not found(document({"actions": ["s3:PutObject"], "resources": ["arn:x/*"]}))
	not found(document({"effect": "Deny", "actions": ["s3:*"], "resources": ["*"], "principals": [{"type": "*", "identifiers": ["*"]}]}))
	not found(document({"actions": ["kms:Decrypt"], "resources": ["*"], "principals": [{"type": "AWS", "identifiers": ["arn:x"]}]}))
	not found(one("azurerm_role_definition", {"permissions": [{"data_actions": ["Microsoft.Storage/blobs/write"]}]}))
}

test_broad_roles if {
	found(one("google_project_iam_member", {"role": "roles/editor"}))
	found(one("azurerm_role_assignment", {"role_definition_name": "Owner"}))
	found(one("aws_iam_role_policy_attachment", {"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}))
	not found(one("azurerm_role_assignment", {"role_definition_name": "AcrPull"}))
	not found(one("aws_iam_role_policy_attachment", {"policy_arn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"}))
}

test_keys_that_can_be_copied if {
	found(one("aws_iam_access_key", {}))
	found(one("google_service_account_key", {}))
}

test_roles_of_the_cluster if {
	found(one("kubernetes_cluster_role_v1", {"rule": [{"api_groups": [""], "resources": ["configmaps", "secrets"], "verbs": ["get"]}]}))
	found(one("kubernetes_role_v1", {"rule": [{"api_groups": ["*"], "resources": ["pods"], "verbs": ["get"]}]}))
	not found(one("kubernetes_cluster_role_v1", {"rule": [{"api_groups": [""], "resources": ["configmaps"], "verbs": ["get"]}]}))
}
