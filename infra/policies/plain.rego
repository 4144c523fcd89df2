# METADATA
# title: What is written is what is made
# description: The other topics read what is written, so nothing may be left to be worked out when it is applied.
package infra.plain

import data.infra.stack

deny contains stack.finding("plain", block, "write resources one by one, and constants in TypeScript") if {
	some block in {"module", "variable", "locals", "import", "check", "ephemeral"}
	count(object.get(input, block, {})) > 0
}

deny contains stack.finding("plain", resource.id, sprintf("take %s away", [argument])) if {
	some resource in (stack.resources | stack.data_sources)
	some argument in {"count", "for_each", "provisioner", "connection"}
	count(stack.listed(resource.attributes[argument])) > 0
}

deny contains stack.finding("plain", resource.id, "write its blocks one by one, and not as a dynamic block") if {
	some resource in (stack.resources | stack.data_sources)
	[path, found] := walk(resource.attributes)
	path[count(path) - 1] == "dynamic"
	is_object(found)
}

deny contains stack.finding("plain", resource.id, "name the attributes in ignore_changes") if {
	some resource in stack.resources
	"all" in stack.listed(object.get(resource.attributes, ["lifecycle", "ignore_changes"], []))
}

deny contains stack.finding("plain", resource.id, message) if {
	some resource in (stack.resources | stack.data_sources)
	[path, text] := walk(resource.attributes)
	is_string(text)
	path[0] != "//"
	not stack.settled(replace(text, "${path.module}", ""))
	message := sprintf("write %s out: it is worked out when it is applied", [concat(".", [sprintf("%v", [step]) | some step in path])])
}

deny contains stack.finding("plain", sprintf("provider.%s", [name]), message) if {
	some name, providers in input.provider
	[path, found] := walk(providers)
	argument := path[count(path) - 1]
	_credential(argument)
	is_string(found)
	message := sprintf("take %s away: log in where it is applied", [argument])
}

deny contains stack.finding("plain", sprintf("provider.%s", [name]), "take insecure away: whoever answers would be believed") if {
	some name, providers in input.provider
	[path, found] := walk(providers)
	found == true
	path[count(path) - 1] == "insecure"
}

_credential(argument) if regex.match(`^(access_key|secret_key|((access|id|oidc)_)?token|password|client_secret|client_key|client_certificate(_password)?|credentials|impersonate_service_account)$`, argument)
