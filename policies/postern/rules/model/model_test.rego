package postern.rules.model_test

import data.postern.asked_test as asked
import data.postern.rules.model as rule

test_a_model_of_the_role_is_no_reason if rule.deny == set() with input as asked.request with data.roles as asked.roles

test_another_model_is_denied if {
	rule.deny == {"model_not_allowed"} with input as asked.with_changes({"request": {"model": "large"}})
		with data.roles as asked.roles
}

test_a_role_gives_its_models_on_its_routes_only if {
	changes := {"request": {"model": "large"}, "caller": {"roles": ["user", "embedder"]}}
	rule.deny == {"model_not_allowed"} with input as asked.with_changes(changes) with data.roles as asked.roles
}
