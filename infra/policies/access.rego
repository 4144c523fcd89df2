# METADATA
# title: Nobody may do everything
# description: No wildcard in what a policy allows, no role that owns a project or subscription, no key that a person could copy.
package infra.access

import data.infra.stack

# Policies of AWS and roles of the other clouds that allow nearly everything.
_broad := {
	"AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "AmazonS3FullAccess", "AmazonEC2FullAccess",
	"roles/owner", "roles/editor", "roles/storage.admin", "roles/container.admin", "roles/iam.serviceAccountTokenCreator",
	"Owner", "Contributor", "User Access Administrator", "Storage Blob Data Owner",
}

deny contains stack.finding("access", id, sprintf("name the actions instead of %q", [action])) if {
	some id, statement in _allowed
	some action in statement.actions
	_wildcard_action(action)
}

deny contains stack.finding("access", id, "name the resources instead of \"*\"") if {
	some id, statement in _allowed
	"*" in statement.resources
	not _own_key(statement)
}

deny contains stack.finding("access", id, "name who may, instead of everybody") if {
	some id, statement in _allowed
	some principal in object.get(statement, "principals", [])
	"*" in principal.identifiers
}

deny contains stack.finding("access", resource.id, sprintf("use a narrower role than %s", [role])) if {
	some resource in stack.resources
	some role in _broad
	some key in {"role", "role_definition_name", "policy_arn"}
	_names(resource.attributes[key], role)
}

deny contains stack.finding("access", resource.id, "name the actions instead of a wildcard") if {
	some resource in stack.resources
	resource.type == "azurerm_role_definition"
	some permissions in stack.blocks(resource.attributes, "permissions")
	some key in {"actions", "data_actions"}
	some action in permissions[key]
	contains(action, "*")
}

deny contains stack.finding("access", resource.id, "use workload identity: a key can be copied and does not end") if {
	some resource in stack.resources
	resource.type in {"aws_iam_access_key", "aws_iam_user", "google_service_account_key", "azurerm_storage_account_sas"}
}

deny contains stack.finding("access", resource.id, "name the actions instead of a wildcard") if {
	some resource in stack.resources
	resource.type in {"aws_iam_policy", "aws_iam_role_policy"}
	policy := json.unmarshal(resource.attributes.policy)
	some statement in policy.Statement
	statement.Effect == "Allow"
	some action in _listed(statement.Action)
	_wildcard_action(action)
}

_allowed[id] := statement if {
	some name, document in input.data.aws_iam_policy_document
	some index, statement in document.statement
	object.get(statement, "effect", "Allow") == "Allow"
	id := sprintf("data.aws_iam_policy_document.%s.statement[%d]", [name, index])
}

_wildcard_action(action) if action == "*"

_wildcard_action(action) if endswith(action, ":*")

# In the policy of a key "*" is the key itself.
_own_key(statement) if {
	count(object.get(statement, "principals", [])) > 0
	every action in statement.actions {
		startswith(action, "kms:")
	}
}

_names(value, role) if value == role

_names(value, role) if endswith(value, concat("", [":policy/", role]))

_listed(value) := value if is_array(value)

_listed(value) := [value] if is_string(value)
