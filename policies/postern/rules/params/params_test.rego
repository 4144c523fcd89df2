package postern.rules.params_test

import data.postern.asked_test as asked
import data.postern.rules.params as rule

_asking(params) := asked.with_changes({"request": {"params": params}})

test_parameters_up_to_the_cap_are_no_reason if {
	rule.deny == set() with input as _asking({"n": 1, "stop": 1, "top_logprobs": 0, "logit_bias": 0})
		with data.roles as asked.roles
}

test_each_parameter_above_its_cap_is_denied if {
	reasons := rule.deny with data.roles as asked.roles
		with input as _asking({"n": 2, "stop": 2, "top_logprobs": 1, "logit_bias": 1})
	reasons == {"n_over_cap", "stop_over_cap", "top_logprobs_over_cap", "logit_bias_over_cap"}
}

test_the_most_generous_role_counts if {
	roles := {"caller": {"roles": ["user", "developer"]}}
	rule.deny == set() with input as object.union(_asking({"n": 4}), roles) with data.roles as asked.roles
}

test_max_tokens_is_no_reason if rule.deny == set() with input as _asking({"max_tokens": 1000000})

test_a_parameter_without_a_cap_is_denied if rule.deny == {"best_of_over_cap"} with input as _asking({"best_of": 1})

test_what_is_no_number_is_denied if {
	every value in [null, false, "1", [], {}] {
		rule.deny == {"n_over_cap"} with input as _asking({"n": value})
	}
}
