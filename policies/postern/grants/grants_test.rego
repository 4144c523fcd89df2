package postern.grants_test

import data.postern.asked_test as asked
import data.postern.grants

test_roles_without_an_entry_give_nothing if {
	known := grants.known with input as asked.with_changes({"caller": {"roles": ["user", "stranger"]}})
		with data.roles as asked.roles
	known == {"user"}
}

test_a_role_counts_on_its_own_routes_only if {
	on_route := grants.on_route with input as asked.with_changes({"caller": {"roles": ["user", "embedder"]}})
		with data.roles as asked.roles
	on_route == {"user"}
}

test_what_is_given_comes_from_those_roles if {
	given := grants.given with input as asked.request with data.roles as asked.roles
	given == {asked.roles.user}
}
