# METADATA
# title: Actions
# description: |
#   What is done about findings. Policy data has, per stage and category, a list of rows; the first row that fits a
#   finding gives the action. Several findings of one rule get the strictest of their actions.
#   A finding that the guard has not told of, because the answer is still streaming, gets the strictest action that it
#   could get: the rows up to the first that fits whatever the finding is.
package postern.actions

import data.postern.grants
import data.postern.hosts

# METADATA
# description: The most specific entry counts, rule, then category, then default.
answer := object.union(hosts.answer, {
	"rules": object.union(_of_named, _of_found),
	"categories": _of_categories,
	"default": data.actions.otherwise,
	"thresholds": _thresholds,
})

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

_found[finding.rule] contains _decisive(_reached(finding)).action if some finding in input.findings

# of the findings that give a rule its action: the score that the deciding row asks for, else the lowest that was missed
_thresholds[rule] := min(scores) if {
	some rule, action in _of_found
	scores := {score |
		some finding in input.findings
		finding.rule == rule
		rows := _reached(finding)
		_decisive(rows).action == action
		score := _threshold(rows)
	}
	count(scores) > 0
}

_threshold(rows) := _decisive(rows).min_score

_threshold(rows) := min(missed) if {
	not _decisive(rows).min_score
	missed := {row.min_score | some row in rows}
	count(missed) > 0
}

# the rows that fit but for the score, up to the first that fits with it
_reached(finding) := array.slice(rows, 0, first + 1) if {
	rows := [row |
		some row in object.get(_rows, finding.category, [_last_row])
		_fits_but_for_score(row, finding)
	]
	first := min([i | some i, row in rows; finding.score >= object.get(row, "min_score", 0)])
}

_decisive(rows) := rows[count(rows) - 1]

# the rows that are for this caller and this tool, and one for what none of them fits
_rows[category] := array.concat(rows, [_last_row]) if {
	some category, list in data.actions[input.stage]
	rows := [row |
		some row in list
		_for_caller(row)
		_for_tool(row)
	]
}

_last_row := {"action": data.actions.otherwise}

_for_caller(row) if not row.caller_roles

_for_caller(row) if {
	some role in row.caller_roles
	role in grants.known
}

_for_tool(row) if not row.tool_words

_for_tool(row) if {
	some word in row.tool_words
	contains(lower(input.tool.name), word)
}

_may_concern(row, _) if not row.rules

_may_concern(row, rule) if rule in row.rules

_fits_but_for_score(row, finding) if {
	_may_concern(row, finding.rule)
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
