package postern.obligations_test

import data.postern.asked_test as asked
import data.postern.obligations

test_the_most_generous_role_bounds_the_answer if {
	answer := obligations.answer with input as asked.with_changes({"caller": {"roles": ["user", "developer"]}})
		with data.roles as asked.roles
	answer == {"max_tokens": 1000}
}

test_tools_that_policy_data_removes_are_taken_out if {
	answer := obligations.answer with input as asked.with_changes({"request": {"tools": ["run_shell", "get_time", "ls"]}})
		with data.roles as asked.roles
		with data.tools.not_allowed as "remove"
	answer.remove_tools == ["ls", "run_shell"]
}

test_the_first_model_route_that_fits_counts if {
	answer := obligations.answer with input as asked.request
		with data.roles as asked.roles
		with data.model_routes as [
			{"models": ["large"], "model": "no"},
			{"models": ["*"], "caller_roles": ["developer"], "model": "no"},
			{"models": ["small"], "caller_roles": ["user"], "model": "tiny"},
			{"models": ["*"], "model": "no"},
		]
	answer.model == "tiny"
}

test_answers_cannot_be_changed_any_more if {
	obligations.answer == {} with input as asked.with_changes({"stage": "response"}) with data.roles as asked.roles
}
