# METADATA
# title: Postern
# description: What the guard asks. One decision per stage of an exchange, and the limits of a caller.
# scope: subpackages
# organizations:
#   - Postern
# schemas:
#   - input: schema.input
#   - data.roles: schema.data.roles
#   - data.tenants: schema.data.tenants
#   - data.tools: schema.data.tools
#   - data.model_routes: schema.data.model_routes
#   - data.actions: schema.data.actions
#   - data.limits: schema.data.limits
#   - data.hosts: schema.data.hosts
package postern

import data.postern.actions
import data.postern.obligations

# METADATA
# title: Decision
# description: |
#   Denied when any rule below `postern.rules` denies, with all their reasons.
#   Denied also when nothing could be decided: this is the only default.
# scope: document
# entrypoint: true
default decision := {"allow": false, "reasons": ["undecided"]}

decision := {"allow": false, "reasons": sort(_reasons)} if count(_reasons) > 0

decision := {
	"allow": true,
	"actions": actions.answer,
	"obligations": obligations.answer,
	"reasons": sort(actions.reasons),
} if {
	count(_reasons) == 0
}

# every topic that exists, so that a new one takes part as soon as it is there
_reasons contains reason if {
	some topic, reason
	data.postern.rules[topic].deny[reason]
}
