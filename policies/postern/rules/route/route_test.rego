package postern.rules.route_test

import data.postern.asked_test as asked
import data.postern.rules.route as rule

test_a_route_of_the_role_is_no_reason if rule.deny == set() with input as asked.request with data.roles as asked.roles

test_another_route_is_denied if {
	rule.deny == {"route_not_allowed"} with input as asked.with_changes({"request": {"route": "openai.embeddings"}})
		with data.roles as asked.roles
}
