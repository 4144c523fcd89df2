# METADATA
# title: No chart opens the cluster
# description: Values are read as YAML; what cannot be read is not installed.
package infra.charts

import data.infra.stack

_doors := {"Ingress", "Gateway", "HTTPRoute", "GRPCRoute", "TCPRoute", "TLSRoute", "IngressRoute"}

_services := {"LoadBalancer", "NodePort"}

deny contains stack.finding("charts", release.id, sprintf("write what %s says into values", [argument])) if {
	some release in _releases
	some argument in {"set_list", "set_sensitive", "set_wo", "postrender"}
	count(stack.listed(release.attributes[argument])) > 0
}

deny contains stack.finding("charts", release.id, "write its values out, as YAML that can be read") if {
	some release in _releases
	some text in stack.listed(release.attributes.values)
	not _readable(text)
}

deny contains stack.finding("charts", release.id, "write its values out, as YAML that can be read") if {
	some release in _releases
	some setting in stack.blocks(release.attributes, "set")
	not stack.settled(setting.value)
}

deny contains stack.finding("charts", release.id, sprintf("its value %s opens the cluster", [concat(".", path)])) if {
	some release in _releases
	some text in stack.listed(release.attributes.values)
	[at, found] := walk(yaml.unmarshal(text))
	path := [sprintf("%v", [step]) | some step in at]
	_opens(path, found)
}

deny contains stack.finding("charts", release.id, sprintf("its value %s opens the cluster", [setting.name])) if {
	some release in _releases
	some setting in stack.blocks(release.attributes, "set")
	_opens(split(setting.name, "."), setting.value)
}

_releases contains release if {
	some release in stack.resources
	release.type == "helm_release"
}

_readable(text) if {
	stack.settled(text)
	is_object(yaml.unmarshal(text))
}

_opens(_, found) if found in _services

_opens(path, found) if {
	path[count(path) - 1] == "kind"
	found in _doors
}

_opens(path, found) if {
	count(path) > 1
	path[count(path) - 1] == "enabled"
	lower(path[count(path) - 2]) in {"ingress", "ingresses", "route", "httproute", "gatewayapi"}
	found in {true, "true"}
}

_opens(path, found) if {
	path[count(path) - 1] == "hostNetwork"
	found in {true, "true"}
}

_opens(path, found) if {
	path[count(path) - 1] == "externalIPs"
	count(found) > 0
}

# Manifests that charts take as one text.
_opens(_, found) if regex.match(`(?m)^\s*["']?(kind["']?:\s*["']?(Ingress|Gateway|HTTPRoute|GRPCRoute|TCPRoute|TLSRoute|IngressRoute)|type["']?:\s*["']?(LoadBalancer|NodePort))\b`, found)
