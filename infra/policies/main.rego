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
