# METADATA
# title: What a stack must not contain
# description: Findings of all topics. An empty set lets a stack pass; an input that is no stack does not pass.
# entrypoint: true
package infra

import data.infra.access
import data.infra.charts
import data.infra.encryption
import data.infra.ingress
import data.infra.pins
import data.infra.plain
import data.infra.retention
import data.infra.stack
import data.infra.tags
import data.infra.types

deny contains found if some found in access.deny

deny contains found if some found in charts.deny

deny contains found if some found in encryption.deny

deny contains found if some found in ingress.deny

deny contains found if some found in pins.deny

deny contains found if some found in plain.deny

deny contains found if some found in retention.deny

deny contains found if some found in tags.deny

deny contains found if some found in types.deny

deny contains stack.finding("stack", "input", "it has no resources; give the cdk.tf.json of one stack") if {
	not input.resource
}

deny contains stack.finding("stack", "terraform", "name a backend; without one the state is a file on somebody's disk") if {
	input.resource
	not _has_backend
}

_has_backend if is_object(input.terraform.backend)

# Terraform takes lists in many places where this reads maps.
deny contains stack.finding("stack", sprintf("%s", [part]), "write maps of maps, as CDKTF does; lists are not read") if {
	some part in {"resource", "data"}
	some path in {[], ["*"], ["*", "*"]}
	some found in _at(input[part], path)
	not is_object(found)
}

_at(found, path) := [found] if path == []

_at(found, path) := [inner | some inner in found] if path == ["*"]

_at(found, path) := [inner | some named in found; is_object(named); some inner in named] if path == ["*", "*"]
