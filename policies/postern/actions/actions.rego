# METADATA
# title: Actions
# description: |
#   What is done about findings. Policy data has, per stage and category, a list of rows; the first row that fits a
#   finding gives the action. Several findings of one rule get the strictest of their actions.
#   A finding that the guard has not told of, because the answer is still streaming, gets the strictest action that it
#   could get: the rows up to the first that fits whatever the finding is.
package postern.actions

import data.postern.grants

# METADATA
# description: The most specific entry counts, rule, then category, then default.
answer := {
	"rules": object.union(_of_named, _of_found),
	"categories": _of_categories,
	"default": data.actions.otherwise,
}

# METADATA
# description: Why something is redacted or blocked.
reasons contains reason if {
	some finding in input.findings
	some action in _found[finding.rule]
	word := {"redact": "redacted", "block": "blocked"}[action]
	reason := concat("_", [finding.category, word])
}

_of_found[rule] := _strictest(actions) if some rule, actions in _found

_of_named[rule] := _strictest(_possible(rows)) if {
	some list in _rows
	some named in list
	some rule in named.rules
	rows := [row | some row in list; _may_concern(row, rule)]
}

_of_categories[category] := _strictest(_possible(rows)) if {
	some category, list in _rows
	rows := [row | some row in list; not row.rules]
}

_found[finding.rule] contains action if {
	some finding in input.findings
	rows := object.get(_rows, finding.category, [_last_row])
	action := [row.action | some row in rows; _fits(row, finding)][0]
}

# the rows that are for this caller, and one for what none of them fits
_rows[category] := array.concat(rows, [_last_row]) if {
	some category, list in data.actions[input.stage]
	rows := [row | some row in list; _for_caller(row)]
}

_last_row := {"action": data.actions.otherwise}

_for_caller(row) if not row.caller_roles

_for_caller(row) if {
	some role in row.caller_roles
	role in grants.known
}

_may_concern(row, _) if not row.rules

_may_concern(row, rule) if rule in row.rules

_fits(row, finding) if {
	_may_concern(row, finding.rule)
	finding.score >= object.get(row, "min_score", 0)
	finding.role in object.get(row, "text_roles", [finding.role])
	finding.channel in object.get(row, "channels", [finding.channel])
}

_possible(rows) := {row.action |
	some i, row in rows
	i <= _first_certain(rows)
}

# the last row is always one
_first_certain(rows) := min([i |
	some i, row in rows
	not _has_condition(row)
])

_has_condition(row) if row.min_score

_has_condition(row) if row.text_roles

_has_condition(row) if row.channels

_strictest(actions) := [action |
	some action in ["block", "redact", "observe", "ignore"]
	action in actions
][0]
