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
	not pattern.covers(_patterns, extra)
}

_patterns := pattern.parts({extra |
	some role in grants.given
	some extra in role.extras
})
