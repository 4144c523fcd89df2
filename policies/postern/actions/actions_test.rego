package postern.actions_test

import data.postern.actions
import data.postern.asked_test as asked

_policy := {
	"otherwise": "block",
	"request": {
		"secret": [
			{"caller_roles": ["admin"], "action": "ignore"},
			{"text_roles": ["tool"], "action": "block"},
			{"action": "redact"},
		],
		"personal_data": [
			{"rules": ["payment-card"], "action": "redact"},
			{"channels": ["parameter"], "action": "block"},
			{"rules": ["email"], "action": "ignore"},
			{"action": "observe"},
		],
		"injection": [{"min_score": 0.8, "action": "block"}],
	},
}

_found(findings) := asked.with_changes({"findings": findings})

test_the_first_row_that_fits_gives_the_action if {
	answer := actions.answer with data.actions as _policy
		with input as _found([
			asked.finding("payment-card", "personal_data", 1),
			asked.finding("email", "personal_data", 1),
			asked.finding("phone", "personal_data", 1),
		])
	answer.rules == {"payment-card": "redact", "email": "ignore", "phone": "observe"}
}

test_several_findings_of_a_rule_get_the_strictest if {
	key := asked.finding("aws-access-key", "secret", 1)
	in_a_tool_result := object.union(key, {"role": "tool"})
	one := actions.answer with input as _found([key]) with data.actions as _policy
	one.rules["aws-access-key"] == "redact"
	both := actions.answer with input as _found([key, in_a_tool_result]) with data.actions as _policy
	both.rules["aws-access-key"] == "block"
}

test_a_channel_is_a_condition if {
	in_a_parameter := object.union(asked.finding("email", "personal_data", 1), {"channel": "parameter"})
	answer := actions.answer with input as _found([in_a_parameter]) with data.actions as _policy
	answer.rules.email == "block"
}

test_rows_for_other_callers_do_not_count if {
	changes := {"findings": [asked.finding("aws-access-key", "secret", 1)], "caller": {"roles": ["admin"]}}
	answer := actions.answer with input as asked.with_changes(changes) with data.actions as _policy
	answer.rules["aws-access-key"] == "ignore"
	answer.categories.secret == "ignore"
}

test_what_no_row_fits_gets_the_default if {
	answer := actions.answer with data.actions as _policy
		with input as _found([
			asked.finding("ignore-instructions", "injection", 0.79),
			asked.finding("zero-width", "invisible_text", 1),
		])
	answer.rules["ignore-instructions"] == "block"
	answer.rules["zero-width"] == "block"
}

test_a_finding_not_told_of_gets_the_strictest_it_could_get if {
	answer := actions.answer with input as asked.request with data.actions as _policy
	answer.categories == {"secret": "block", "personal_data": "block", "injection": "block"}
	answer.rules == {"payment-card": "redact", "email": "block"}
	answer.default == "block"
}

test_the_threshold_of_the_row_that_decided_is_told if {
	policy := {"otherwise": "ignore", "request": {"injection": [
		{"min_score": 0.9, "action": "block"},
		{"min_score": 0.5, "text_roles": ["tool"], "action": "block"},
		{"min_score": 0.6, "action": "redact"},
		{"action": "observe"},
	]}}
	answer := actions.answer with data.actions as policy
		with input as _found([
			asked.finding("far-above", "injection", 0.95),
			asked.finding("between", "injection", 0.7),
			asked.finding("below", "injection", 0.1),
			asked.finding("of-another-category", "secret", 1),
		])
	answer.thresholds == {"far-above": 0.9, "between": 0.6, "below": 0.6}
}

test_the_threshold_is_of_the_findings_that_gave_the_action if {
	policy := {"otherwise": "ignore", "request": {"injection": [
		{"text_roles": ["system"], "action": "ignore"},
		{"min_score": 0.8, "action": "block"},
		{"min_score": 0.2, "action": "observe"},
	]}}
	weak := asked.finding("jailbreak", "injection", 0.3)
	in_the_system_prompt := object.union(weak, {"role": "system"})
	found := _found([weak, in_the_system_prompt, asked.finding("jailbreak", "injection", 0.85)])
	answer := actions.answer with data.actions as policy with input as found
	answer.rules.jailbreak == "block"
	answer.thresholds == {"jailbreak": 0.8}
}

test_without_scores_in_the_rows_there_is_no_threshold if {
	answer := actions.answer with input as _found([asked.finding("aws-access-key", "secret", 1)])
	answer.thresholds == {}
}

test_only_what_is_changed_is_a_reason if {
	reasons := actions.reasons with data.actions as _policy
		with input as asked.with_changes({"findings": [
			asked.finding("payment-card", "personal_data", 1),
			asked.finding("phone", "personal_data", 1),
			asked.finding("ignore-instructions", "injection", 1),
		]})
	reasons == {"personal_data_redacted", "injection_blocked"}
}

test_the_default_data_has_an_action_for_every_category_and_stage if {
	every stage in ["request", "response", "tool_call"] {
		answer := actions.answer with input as asked.with_changes({"stage": stage})
		object.keys(answer.categories) == {
			"secret",
			"personal_data",
			"injection",
			"invisible_text",
			"active_content",
			"repetition",
			"tool_argument",
		}
	}
}

test_the_default_data_keeps_cards_and_secrets_out_of_answers if {
	answer := actions.answer with input as asked.with_changes({"stage": "response"})
	answer.categories.secret == "redact"
	answer.rules["payment-card"] == "redact"
	answer.categories.personal_data == "observe"
	answer.categories.injection == "observe"
}

_for_tools := {
	"otherwise": "block",
	"tool_call": {"tool_argument": [{"tool_words": ["send"], "action": "block"}, {"action": "observe"}]},
}

_calling(name) := asked.with_changes({
	"stage": "tool_call",
	"tool": {"name": name, "arguments": []},
	"findings": [asked.finding("untrusted-destination", "tool_argument", 0.6)],
})

test_a_row_for_tools_fits_by_a_word_in_the_name_of_the_tool if {
	sent := actions.answer with data.actions as _for_tools with input as _calling("mcp__gmail__SendMail")
	sent.rules["untrusted-destination"] == "block"
	sought := actions.answer with data.actions as _for_tools with input as _calling("search_mail")
	sought.rules["untrusted-destination"] == "observe"
}

_argument(role, tool, rule) := asked.with_changes({
	"stage": "tool_call",
	"caller": {"roles": [role]},
	"tool": {"name": tool, "arguments": []},
	"findings": [asked.finding(rule, "tool_argument", 0.9)],
})

test_by_default_nobody_reaches_inside_and_only_developers_run_commands if {
	every role in ["user", "service", "developer", "admin"] {
		inside := actions.answer with input as _argument(role, "get_page", "internal-address")
		inside.rules["internal-address"] == "block"
	}
	itself := actions.answer with input as _argument("service", "get_page", "loopback-address")
	itself.rules["loopback-address"] == "block"
	developing := actions.answer with input as _argument("developer", "get_page", "loopback-address")
	developing.rules["loopback-address"] == "observe"
	user := actions.answer with input as _argument("user", "get_rows", "sql-statement")
	user.rules["sql-statement"] == "block"
	developer := actions.answer with input as _argument("developer", "run_sql", "sql-statement")
	developer.rules["sql-statement"] == "observe"
}

test_by_default_nothing_is_sent_where_only_others_said if {
	every role in ["user", "admin"] {
		sent := actions.answer with input as _argument(role, "send_mail", "untrusted-destination")
		sent.rules["untrusted-destination"] == "block"
		read := actions.answer with input as _argument(role, "get_page", "untrusted-destination")
		read.rules["untrusted-destination"] == "observe"
	}
}

test_the_default_data_lets_no_answer_act if {
	answer := actions.answer with input as asked.with_changes({"stage": "response", "findings": [
		asked.finding("markdown-image", "active_content", 1),
		asked.finding("html-script", "active_content", 0.5),
	]})
	answer.rules["markdown-image"] == "redact"
	answer.rules["html-script"] == "observe"
	answer.rules["repeated-text"] == "block"
	answer.categories.repetition == "observe"
}

_said_by_tool(rule, category, channel) := asked.with_changes({"findings": [object.union(
	asked.finding(rule, category, 0.6),
	{"channel": channel, "role": "tool"},
)]})

test_by_default_what_tools_and_documents_say_is_judged_more_strictly if {
	page := actions.answer with input as _said_by_tool("new-instructions", "injection", "tool_result")
	page.rules["new-instructions"] == "block"
	caller := actions.answer with input as _said_by_tool("new-instructions", "injection", "message")
	caller.rules["new-instructions"] == "observe"
}

test_by_default_nobody_orders_a_flood if {
	flood := actions.answer with input as _said_by_tool("repeat-order", "repetition", "message")
	flood.rules["repeat-order"] == "block"
}
