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
# description: Every data source likewise; its type begins with data
data_sources contains source if {
	some type, named in input.data
	some name, attributes in named
	source := {
		"type": sprintf("data.%s", [type]),
		"name": name,
		"attributes": attributes,
		"id": sprintf("data.%s.%s", [type, name]),
	}
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
# description: All of a list, or the one value; nothing for what is not there
listed(found) := found if is_array(found)

listed(found) := [found] if {
	not is_array(found)
	found != null
}

# METADATA
# description: The values at a path, whether its blocks are written as objects or as lists
values(attributes, path) := {found |
	[at, found] := walk(attributes)
	[step | some step in at; not is_number(step)] == path
	not is_array(found)
}

# METADATA
# description: Whether a text says something now, such as the reference to a key
given(attributes, name) if _says(attributes[name])

# METADATA
# description: Whether every value at a path says something, and there is one
given_at(attributes, path) if {
	found := values(attributes, path)
	count(found) > 0
	every each in found {
		_says(each)
	}
}

# METADATA
# description: Whether a text has nothing of Terraform's in it but plain references to attributes of resources
settled(text) if {
	without := regex.replace(text, `[$][$]\{|%%\{|[$]\{(data\.)?[a-z][a-z0-9]*_[a-z0-9_]+\.[A-Za-z][A-Za-z0-9_-]*(\.[a-z][a-z0-9_]*|\[[0-9]+\])+\}`, "")
	not regex.match(`[$%]\{`, without)
}

# METADATA
# description: Resources of one type that name another resource in an attribute
companions(type, resource, attribute) := {other |
	some other in resources
	other.type == type
	contains(json.marshal(object.get(other.attributes, attribute, null)), sprintf("${%s.", [resource.id]))
}

# METADATA
# description: One finding, the same shape for every topic
finding(topic, id, message) := {"topic": topic, "resource": id, "message": message}

_says(text) if {
	is_string(text)
	trim_space(text) != ""
	settled(text)
}
