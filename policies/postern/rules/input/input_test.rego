package postern.rules.input_test

import data.postern.asked_test as asked
import data.postern.rules.input as rule

test_the_documented_shape_is_no_reason if {
	changes := {"findings": [asked.finding("aws-access-key", "secret", 1)]}
	rule.deny == set() with input as asked.with_changes(changes)
}

test_an_unknown_stage_is_denied if {
	"stage_unknown" in rule.deny with input as asked.with_changes({"stage": "batch"})
	"stage_unknown" in rule.deny with input as object.remove(asked.request, ["stage"])
}

test_a_missing_part_is_denied if {
	every part in ["caller", "request", "findings"] {
		"input_malformed" in rule.deny with input as object.remove(asked.request, [part])
	}
	every part in ["route", "model", "tools", "params", "extras"] {
		changes := {"request": object.remove(asked.request.request, [part])}
		"input_malformed" in rule.deny with input as object.union(object.remove(asked.request, ["request"]), changes)
	}
}

test_a_part_of_another_type_is_denied if {
	"input_malformed" in rule.deny with input as asked.with_changes({"findings": {}})
	"input_malformed" in rule.deny with input as asked.with_changes({"request": {"params": []}})
	"input_malformed" in rule.deny with input as asked.with_changes({"caller": {"roles": "admin"}})
}

test_a_malformed_finding_is_denied if {
	changes := {"findings": [asked.finding("aws-access-key", "secret", "high")]}
	"finding_malformed" in rule.deny with input as asked.with_changes(changes)
}
