# METADATA
# title: Extras
# description: A role lists the model-server extras it may use.
package postern.rules.extras

import data.postern.grants
import data.postern.pattern

# METADATA
# description: The request uses an extra that no role of the caller allows.
deny contains "extra_not_allowed" if {
	some extra in input.request.extras
	not _allowed(extra)
}

_allowed(extra) if {
	some role in grants.given
	pattern.covers(role.extras, extra)
}
