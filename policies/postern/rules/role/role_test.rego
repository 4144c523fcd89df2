package postern.rules.role_test

import data.postern.asked_test as asked
import data.postern.rules.role as rule

test_one_known_role_is_enough if {
	rule.deny == set() with input as asked.with_changes({"caller": {"roles": ["stranger", "user"]}})
		with data.roles as asked.roles
}

test_no_role_is_denied if {
	rule.deny == {"role_missing"} with input as asked.with_changes({"caller": {"roles": []}})
		with data.roles as asked.roles
}

test_unknown_roles_are_no_roles if {
	rule.deny == {"role_missing"} with input as asked.with_changes({"caller": {"roles": ["stranger", "*"]}})
		with data.roles as asked.roles
}
