# METADATA
# title: Grants
# description: The roles by which a request is judged. A role gives its models, tools and caps on its own routes only.
package postern.grants

import data.postern.pattern

# METADATA
# description: The caller's roles that policy data knows.
known contains role if {
	some role in input.caller.roles
	data.roles[role]
}

# METADATA
# description: Those of them that may use the route.
on_route contains role if {
	some role in known
	pattern.covers(pattern.parts(data.roles[role].routes), input.request.route)
}

# METADATA
# description: What those roles give.
given contains rights if {
	some role in on_route
	rights := data.roles[role]
}
