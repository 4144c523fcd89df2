# METADATA
# title: Obligations
# description: What an allowed request must be changed to before it is sent.
package postern.obligations

import data.postern.grants
import data.postern.pattern
import data.postern.rules.tools

# METADATA
# description: The obligations by name. Only requests can be changed.
answer[name] := value if {
	input.stage == "request"
	some name, value in _all
}

_all["max_tokens"] := max({role.params.max_tokens | some role in grants.given})

_all["remove_tools"] := sort(tools.removed) if count(tools.removed) > 0

_all["model"] := [route.model |
	some route in data.model_routes
	pattern.covers(pattern.parts(route.models), input.request.model)
	_for_caller(route)
][0]

_for_caller(row) if not row.caller_roles

_for_caller(row) if {
	some role in row.caller_roles
	role in input.caller.roles
}
