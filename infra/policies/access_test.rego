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
	found(one("aws_iam_role_policy", {"policy": json.marshal({"Statement": [{"Effect": "Allow", "Action": "s3:*"}]})}))
	found(one("azurerm_role_definition", {"permissions": [{"actions": ["Microsoft.Storage/*"]}]}))
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
