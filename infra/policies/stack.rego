# METADATA
# title: One synthesised stack
# description: Reading aids over the Terraform JSON that CDKTF writes, which is the input of every topic.
package infra.stack

# METADATA
# description: Every resource as type, name and attributes
resources contains resource if {
	some type, named in input.resource
	some name, attributes in named
	resource := {"type": type, "name": name, "attributes": attributes, "id": sprintf("%s.%s", [type, name])}
}

# METADATA
# description: A block is written as an object, or as a list when there may be several
blocks(attributes, name) := found if {
	found := attributes[name]
	is_array(found)
} else := [found] if {
	found := attributes[name]
	is_object(found)
} else := []

# METADATA
# description: Whether a text says something, such as the reference to a key
given(attributes, name) if {
	is_string(attributes[name])
	attributes[name] != ""
}

# METADATA
# description: Resources of one type that refer to another resource
companions(type, resource) := {other |
	some other in resources
	other.type == type
	contains(json.marshal(other.attributes), sprintf("${%s.", [resource.id]))
}

# METADATA
# description: One finding, the same shape for every topic
finding(topic, id, message) := {"topic": topic, "resource": id, "message": message}
