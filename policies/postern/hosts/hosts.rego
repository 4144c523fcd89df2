# METADATA
# title: Hosts
# description: |
#   Where answers may lead, and which addresses the arguments of tool calls may name, by tenant; `*` is for tenants without
#   their own entry. What leads there is no finding. Without an entry nothing may lead anywhere.
package postern.hosts

# METADATA
# description: The lists by name; told with the first question about an answer, before anything is found in it.
answer[name] := list if {
	input.stage == "response"
	some name, key in {"hosts": "links", "tool_hosts": "tools"}
	list := _of_tenant(data.hosts[key])
}

_of_tenant(lists) := lists[input.caller.tenant]

_of_tenant(lists) := lists["*"] if not lists[input.caller.tenant]
