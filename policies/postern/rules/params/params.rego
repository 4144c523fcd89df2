# METADATA
# title: Parameters
# description: |
#   A role caps `n`, `top_logprobs`, `stop` and `logit_bias`. The most generous role counts.
#   `max_tokens` is no reason to deny: it is an obligation, see `postern.obligations`.
package postern.rules.params

import data.postern.grants

# METADATA
# description: A parameter is above the cap, or has none.
deny contains reason if {
	some name, value in input.request.params
	name != "max_tokens"
	not _within_cap(name, value)
	reason := concat("_", [name, "over_cap"])
}

_within_cap(name, value) if {
	is_number(value)
	some role in grants.given
	value <= role.params[name]
}
