package postern.hosts_test

import data.postern.asked_test as asked
import data.postern.hosts

_lists := {"links": {"acme": ["*.acme.example"], "*": []}, "tools": {"*": ["jira.internal"]}}

test_a_tenant_has_its_own_list_else_the_common_one if {
	answer := hosts.answer with input as asked.with_changes({"stage": "response"}) with data.hosts as _lists
	answer == {"hosts": ["*.acme.example"], "tool_hosts": ["jira.internal"]}
}

test_another_tenant_has_the_common_one if {
	changes := {"stage": "response", "caller": {"tenant": "other"}}
	answer := hosts.answer with input as asked.with_changes(changes) with data.hosts as _lists
	answer == {"hosts": [], "tool_hosts": ["jira.internal"]}
}

test_only_answers_have_hosts if {
	hosts.answer == {} with input as asked.request with data.hosts as _lists
}

test_without_data_nothing_is_listed if {
	hosts.answer == {} with input as asked.with_changes({"stage": "response"}) with data.hosts as {}
}
