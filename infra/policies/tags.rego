# METADATA
# title: Every resource says whose it is
# description: Which types take tags, and what they call them, is in reviewed.json.
package infra.tags

import data.infra.stack

_required := {"project", "environment", "owner", "cost-center"}

deny contains stack.finding("tags", resource.id, message) if {
	some resource in stack.resources
	attribute := data.tag_attributes[resource.type]
	has := {key | some key, value in object.get(resource.attributes, attribute, {}); is_string(value); trim_space(value) != ""}
	missing := _required - has
	count(missing) > 0
	message := sprintf("add %s to %s", [concat(", ", sort(missing)), attribute])
}
