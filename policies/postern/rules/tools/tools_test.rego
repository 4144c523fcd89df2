package postern.rules.tools_test

import data.postern.asked_test as asked
import data.postern.rules.tools as rule

test_tools_of_the_role_are_no_reason if {
	rule.deny == set() with input as asked.with_changes({"request": {"tools": ["get_weather", "get_time"]}})
		with data.roles as asked.roles
}

test_another_tool_on_offer_is_denied if {
	rule.deny == {"tool_not_allowed"} with input as asked.with_changes({"request": {"tools": ["get_time", "run_shell"]}})
		with data.roles as asked.roles
		with data.tools.not_allowed as "deny"
}

test_or_taken_out_where_policy_data_says_so if {
	changed := asked.with_changes({"request": {"tools": ["get_time", "run_shell"]}})
	rule.deny == set() with input as changed with data.roles as asked.roles with data.tools.not_allowed as "remove"
	rule.removed == {"run_shell"} with input as changed
		with data.roles as asked.roles
		with data.tools.not_allowed as "remove"
}

test_a_call_of_a_tool_on_offer_is_no_reason if {
	changes := {"stage": "tool_call", "request": {"tools": ["get_time"]}, "tool": {"name": "get_time"}}
	rule.deny == set() with input as asked.with_changes(changes) with data.roles as asked.roles
}

test_a_call_of_a_tool_that_was_not_offered_is_denied if {
	changes := {"stage": "tool_call", "request": {"tools": ["get_time"]}, "tool": {"name": "get_weather"}}
	rule.deny == {"tool_not_offered"} with input as asked.with_changes(changes) with data.roles as asked.roles
}

test_a_call_of_a_tool_of_another_role_is_denied if {
	changes := {"stage": "tool_call", "request": {"tools": ["run_shell"]}, "tool": {"name": "run_shell"}}
	rule.deny == {"tool_not_allowed"} with input as asked.with_changes(changes) with data.roles as asked.roles
}

test_a_removed_tool_is_not_called_either if {
	changes := {"stage": "tool_call", "request": {"tools": ["run_shell"]}, "tool": {"name": "run_shell"}}
	rule.deny == {"tool_not_allowed"} with input as asked.with_changes(changes)
		with data.roles as asked.roles
		with data.tools.not_allowed as "remove"
}

test_a_call_without_a_name_is_denied if {
	rule.deny == {"tool_not_allowed", "tool_not_offered"} with input as asked.with_changes({"stage": "tool_call"})
		with data.roles as asked.roles
}
