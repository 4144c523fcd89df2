# METADATA
# title: Tools
# description: A role lists the tools that a request may offer to the model and that the model may call.
package postern.rules.tools

import data.postern.grants
import data.postern.pattern

# METADATA
# description: Tools are allowed for the role, and a tool that was not offered is not called.
# scope: document
deny contains "tool_not_allowed" if {
	not _removes
	count(not_allowed) > 0
}

deny contains "tool_not_allowed" if {
	input.stage == "tool_call"
	not _call_allowed
}

deny contains "tool_not_offered" if {
	input.stage == "tool_call"
	not _call_offered
}

# METADATA
# description: The tools on offer that no role of the caller allows.
not_allowed contains tool if {
	some tool in input.request.tools
	not _allowed(tool)
}

# METADATA
# description: The tools to take out of the request, where policy data says so instead of denying it.
removed contains tool if {
	_removes
	some tool in not_allowed
}

_call_allowed if _allowed(input.tool.name)

_call_offered if input.tool.name in input.request.tools

_removes if data.tools.not_allowed == "remove"

_allowed(tool) if pattern.covers(_patterns, tool)

_patterns := pattern.parts({tool |
	some role in grants.given
	some tool in role.tools
})
