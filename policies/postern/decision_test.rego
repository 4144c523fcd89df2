package postern_test

import data.postern
import data.postern.asked_test as asked
import data.postern.rules.model

test_a_plain_request_of_a_user_is_allowed if {
	answer := postern.decision with input as asked.request
	answer.allow == true
	answer.reasons == []
	object.keys(answer) == {"allow", "actions", "obligations", "reasons"}
}

test_every_role_of_the_default_data_may_chat if {
	every role in object.keys(data.roles) {
		caller := object.union(asked.request.caller, {"roles": [role]})
		postern.decision.allow == true with input as asked.with_changes({"caller": caller})
	}
}

test_every_stage_is_decided if {
	every stage in ["request", "response", "model"] {
		postern.decision.allow == true with input as asked.with_changes({"stage": stage})
	}
}

test_a_denial_has_all_reasons_and_nothing_else if {
	answer := postern.decision with input as asked.with_changes({"caller": {"roles": []}})
	answer == {"allow": false, "reasons": ["model_not_allowed", "role_missing", "route_not_allowed"]}
}

test_no_input_is_denied if not postern.decision.allow with input as {}

test_what_cannot_be_decided_is_denied if {
	answer := postern.decision with input as asked.request with data.actions as {}
	answer == {"allow": false, "reasons": ["undecided"]}
}

test_a_topic_takes_part_by_existing if {
	answer := postern.decision with input as asked.request with model.deny as {"closed_today"}
	answer.reasons == ["closed_today"]
}

test_a_redacted_secret_is_a_reason if {
	changes := {"findings": [asked.finding("aws-access-key", "secret", 1)]}
	answer := postern.decision with input as asked.with_changes(changes)
	answer.allow == true
	answer.actions.rules["aws-access-key"] == "redact"
	answer.reasons == ["secret_redacted"]
}

test_likely_injection_is_blocked if {
	changes := {"findings": [asked.finding("ignore-instructions", "injection", 0.9)]}
	answer := postern.decision with input as asked.with_changes(changes)
	answer.actions.rules["ignore-instructions"] == "block"
	answer.reasons == ["injection_blocked"]
}

test_unlikely_injection_is_not_blocked if {
	changes := {"findings": [asked.finding("ignore-instructions", "injection", 0.5)]}
	answer := postern.decision with input as asked.with_changes(changes)
	answer.actions.rules["ignore-instructions"] == "observe"
	answer.reasons == []
}

test_a_tool_call_of_a_tool_that_was_offered_is_allowed if {
	changes := {"stage": "tool_call", "request": {"tools": ["get_weather"]}, "tool": {"name": "get_weather"}}
	postern.decision.allow == true with input as asked.with_changes(changes)
}

test_limits_have_the_three_scopes if {
	answer := postern.limits with input as {"caller": asked.request.caller, "model": "small"}
	object.keys(answer) == {"caller", "tenant", "model"}
	answer.caller == data.limits.roles.user
}

test_limits_are_undefined_without_data if {
	not postern.limits with input as {"caller": asked.request.caller, "model": "small"} with data.limits as {}
}
