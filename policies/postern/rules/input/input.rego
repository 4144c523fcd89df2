# METADATA
# title: Input
# description: Whoever asks must ask in the documented shape, or rules that look for something would find nothing.
package postern.rules.input

# METADATA
# description: A stage that no rule knows cannot be judged.
# scope: document
deny contains "stage_unknown" if not _known_stage

deny contains "input_malformed" if not _well_formed

deny contains "finding_malformed" if {
	some finding in input.findings
	not _is_finding(finding)
}

_known_stage if input.stage in {"request", "response", "tool_call", "model"}

_well_formed if {
	is_string(input.caller.subject)
	is_string(input.caller.tenant)
	is_array(input.caller.roles)
	is_string(input.request.route)
	is_string(input.request.model)
	is_array(input.request.tools)
	is_array(input.request.extras)
	is_object(input.request.params)
	is_array(input.findings)
}

_is_finding(finding) if {
	is_string(finding.rule)
	is_string(finding.category)
	is_string(finding.role)
	is_string(finding.channel)
	is_number(finding.score)
}
