# METADATA
# title: Nobody may do everything
# description: No wildcard in what a policy allows, no role that owns a project or subscription, no key that a person could copy.
package infra.access

import data.infra.stack

# Policies of AWS and roles of the other clouds that allow nearly everything.
_broad := {
	"AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "AmazonS3FullAccess", "AmazonEC2FullAccess",
	"roles/owner", "roles/editor", "roles/storage.admin", "roles/container.admin", "roles/iam.serviceAccountTokenCreator",
	"roles/storage.objectAdmin", "roles/compute.admin", "roles/cloudkms.admin", "roles/iam.securityAdmin", "roles/resourcemanager.projectIamAdmin",
	"Owner", "Contributor", "User Access Administrator", "Role Based Access Control Administrator", "Storage Blob Data Owner",
}

# Actions of which AWS takes no single resource: who may list, sees the names of all.
_unbound := `^((autoscaling|ec2):Describe[A-Za-z]+|route53:ListHostedZones)$`

# What of a policy nobody here reads.
_unread := {"not_actions", "not_resources", "not_principals", "source_policy_documents", "override_policy_documents", "source_json", "override_json"}

# Attributes that hold a policy of AWS as JSON.
_policies := {"policy", "assume_role_policy", "inline_policy", "access_policy", "permissions_boundary_policy"}

deny contains stack.finding("access", id, sprintf("name the actions instead of %q", [action])) if {
	some id, statement in _allowed
	some action in statement.actions
	_wildcard_action(action)
}

deny contains stack.finding("access", id, "name the resources instead of \"*\"") if {
	some id, statement in _allowed
	some resource in statement.resources
	_everything(resource)
	not _own_key(statement)
	not _reads_names(statement)
}

deny contains stack.finding("access", source.id, sprintf("write statements, and take %s away", [argument])) if {
	some source in stack.data_sources
	source.type == "data.aws_iam_policy_document"
	[path, found] := walk(source.attributes)
	argument := path[count(path) - 1]
	argument in _unread
	count(found) > 0
	_may_allow(source.attributes, path)
}

deny contains stack.finding("access", resource.id, "write its policy as a DataAwsIamPolicyDocument, which can be looked at") if {
	some resource in stack.resources
	startswith(resource.type, "aws_")
	not resource.type in {"aws_ecr_lifecycle_policy"}
	some argument in _policies
	policy := resource.attributes[argument]
	not regex.match(`^\$\{data\.aws_iam_policy_document\.[A-Za-z0-9_-]+\.json\}$`, policy)
}

deny contains stack.finding("access", id, "name who may, instead of everybody") if {
	some id, statement in _allowed
	some principal in object.get(statement, "principals", [])
	some identifier in principal.identifiers
	_anybody(principal, identifier)
}

# A role of AWS is taken by one service here, or by nobody.
_anybody(_, identifier) if contains(identifier, "*")

_anybody(_, identifier) if not stack.settled(identifier)

_anybody(principal, _) if principal.type == "*"

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

deny contains stack.finding("access", resource.id, "name resources and verbs, and no secrets: whoever may read Secrets is everybody in them") if {
	some resource in stack.resources
	regex.match(`^kubernetes_(cluster_)?role(_v1)?$`, resource.type)
	some rule in stack.blocks(resource.attributes, "rule")
	some key in {"resources", "verbs", "api_groups"}
	some word in rule[key]
	word in {"*", "secrets", "impersonate", "escalate", "bind"}
}

_allowed[id] := statement if {
	some name, document in input.data.aws_iam_policy_document
	some index, statement in document.statement
	object.get(statement, "effect", "Allow") == "Allow"
	id := sprintf("data.aws_iam_policy_document.%s.statement[%d]", [name, index])
}

_wildcard_action(action) if contains(action, "*")

_wildcard_action(action) if not stack.settled(action)

# A whole service or account, however it is written; a bucket of ours and what is in it is one thing.
_everything(resource) if regex.match(`^(\*|arn:[^:]*:[^:]*:[^:]*:[^:]*:?\*.*)$`, resource)

_everything(resource) if not stack.settled(resource)

_reads_names(statement) if {
	every action in statement.actions {
		regex.match(_unbound, action)
	}
}

# What is refused may be as wide as it likes.
_may_allow(attributes, path) if object.get(attributes, array.concat(array.slice(path, 0, 2), ["effect"]), "Allow") == "Allow"

# In the policy of a key "*" is the key itself.
_own_key(statement) if {
	count(object.get(statement, "principals", [])) > 0
	every action in statement.actions {
		startswith(action, "kms:")
	}
}

_names(value, role) if value == role

_names(value, role) if endswith(value, concat("", [":policy/", role]))
