package postern.rules.extras_test

import data.postern.asked_test as asked
import data.postern.rules.extras as rule

test_no_extra_is_no_reason if rule.deny == set() with input as asked.request with data.roles as asked.roles

test_an_extra_of_the_role_is_no_reason if {
	changes := {"request": {"extras": ["min_p"]}, "caller": {"roles": ["developer"]}}
	rule.deny == set() with input as asked.with_changes(changes) with data.roles as asked.roles
}

test_another_extra_is_denied if {
	rule.deny == {"extra_not_allowed"} with input as asked.with_changes({"request": {"extras": ["min_p"]}})
		with data.roles as asked.roles
}
