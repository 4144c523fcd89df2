# METADATA
# title: Only what somebody has looked at
# description: The other topics know nothing of a type without rules, so a stack may have none. The list is reviewed.json.
package infra.types

import data.infra.stack

deny contains stack.finding("types", resource.id, "add rules for its type, then the type to reviewed.json") if {
	some resource in (stack.resources | stack.data_sources)
	not resource.type in _reviewed
}

# Empty, and so everything refused, without the list.
_reviewed contains type if some type in data.reviewed_types
