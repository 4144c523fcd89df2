# METADATA
# title: Rates
# description: |
#   How much a caller, a tenant and a model may use. What is absent is unlimited.
#   The entry `*` is for those without their own.
# scope: package
# schemas:
#   - input: schema.limits_input
package postern.rates

# METADATA
# description: |
#   The caller's own entry, else the most generous of its roles, field by field.
# scope: document
caller := data.limits.callers[input.caller.subject]

caller := _most_generous if not data.limits.callers[input.caller.subject]

# METADATA
# description: All callers of a tenant together.
# scope: document
tenant := data.limits.tenants[input.caller.tenant]

tenant := data.limits.tenants["*"] if not data.limits.tenants[input.caller.tenant]

# METADATA
# description: All callers of a model together.
# scope: document
model := data.limits.models[input.model]

model := data.limits.models["*"] if not data.limits.models[input.model]

_most_generous[field] := max([role[field] | some role in _roles]) if {
	some field in {"requests_per_second", "burst", "concurrency", "tokens_per_minute"}
	every role in _roles { role[field] }
}

_roles := _known if count(_known) > 0

_roles := [data.limits.roles["*"]] if count(_known) == 0

_known := [limits |
	some role in input.caller.roles
	limits := data.limits.roles[role]
]
