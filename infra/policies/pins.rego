# METADATA
# title: What is installed is named exactly
# description: Charts of others, providers and images have one version each; a range installs what nobody looked at.
package infra.pins

import data.infra.stack

deny contains stack.finding("pins", resource.id, "give an exact version, such as 1.2.3") if {
	some resource in stack.resources
	resource.type == "helm_release"
	_from_elsewhere(resource.attributes)
	not _exact(object.get(resource.attributes, "version", ""))
}

deny contains stack.finding("pins", sprintf("terraform.required_providers.%s", [name]), "give an exact version") if {
	some name, provider in input.terraform.required_providers
	not _exact(object.get(provider, "version", ""))
}

deny contains stack.finding("pins", resource.id, sprintf("give %s a tag other than latest, or a digest", [image])) if {
	some resource in stack.resources
	startswith(resource.type, "kubernetes_")
	walk(resource.attributes, [path, image])
	path[count(path) - 1] == "image"
	not _pinned(image)
}

deny contains stack.finding("pins", resource.id, "fetch charts over https:// or oci://") if {
	some resource in stack.resources
	resource.type == "helm_release"
	some key in {"repository", "chart"}
	startswith(object.get(resource.attributes, key, ""), "http://")
}

# A folder of this repository is at the version of the checkout.
_from_elsewhere(attributes) if not startswith(attributes.chart, "${path.module}/")

_exact(version) if regex.match(`^v?[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`, version)

_pinned(image) if contains(image, "@sha256:")

_pinned(image) if {
	tag := regex.find_all_string_submatch_n(`:([^:/]+)$`, image, 1)[0][1]
	tag != "latest"
}
