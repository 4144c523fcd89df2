package postern.rates_test

import data.postern.rates

_limits := {
	"roles": {
		"*": {"requests_per_second": 1},
		"user": {"requests_per_second": 5, "burst": 9, "tokens_per_minute": 100},
		"service": {"requests_per_second": 50, "burst": 2},
	},
	"callers": {"bob": {"concurrency": 1}},
	"tenants": {"acme": {"requests_per_second": 7}, "*": {"requests_per_second": 8}},
	"models": {"large": {"concurrency": 2}, "*": {}},
}

_asking(subject, roles) := {"caller": {"subject": subject, "tenant": "acme", "roles": roles}, "model": "small"}

test_a_caller_gets_the_limits_of_its_role if {
	rates.caller == _limits.roles.user with input as _asking("ann", ["user"]) with data.limits as _limits
}

test_the_most_generous_role_counts_field_by_field if {
	answer := rates.caller with input as _asking("ann", ["service", "user", "stranger"]) with data.limits as _limits
	answer == {"requests_per_second": 50, "burst": 9}
}

test_a_caller_with_an_own_entry_gets_that if {
	rates.caller == {"concurrency": 1} with input as _asking("bob", ["service"]) with data.limits as _limits
}

test_a_caller_without_a_known_role_gets_the_least if {
	rates.caller == {"requests_per_second": 1} with input as _asking("ann", []) with data.limits as _limits
	rates.caller == {"requests_per_second": 1} with input as _asking("ann", ["stranger"]) with data.limits as _limits
}

test_tenants_and_models_have_entries_or_the_star if {
	asking := _asking("ann", ["user"])
	rates.tenant == {"requests_per_second": 7} with input as asking with data.limits as _limits
	rates.model == {} with input as asking with data.limits as _limits
	other := {"caller": object.union(asking.caller, {"tenant": "other"}), "model": "large"}
	rates.tenant == {"requests_per_second": 8} with input as other with data.limits as _limits
	rates.model == {"concurrency": 2} with input as other with data.limits as _limits
}
