# METADATA
# title: Model
# description: A role lists the models it may use.
package postern.rules.model

import data.postern.grants
import data.postern.pattern

# METADATA
# description: No role that may use the route may use this model.
deny contains "model_not_allowed" if not _allowed

_allowed if {
	some role in grants.given
	pattern.covers(pattern.parts(role.models), input.request.model)
}
