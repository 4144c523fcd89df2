package infra.charts_test

import data.infra.charts

found(attributes) if count(charts.deny) > 0 with input as {"resource": {"helm_release": {"x": attributes}}}

values(text) := {"values": [text]}

test_doors if {
	found(values("a: { service: { type: LoadBalancer } }"))
	found(values("serviceType: NodePort"))
	found(values("extra: [{ kind: Ingress }]"))
	found(values("grafana: { ingress: { enabled: true } }"))
	found(values("a: { hostNetwork: true }"))
	found(values("a: { externalIPs: [203.0.113.7] }"))
	found(values("extraManifests: [\"apiVersion: v1\\nkind: Ingress\"]"))
	found({"set": [{"name": "controller.service.type", "value": "LoadBalancer"}]})
}

test_what_cannot_be_read if {
	found(values("${yamlencode({})}"))
	found(values("a: ${var.x}"))
	found(values("just words"))
	found({"set": [{"name": "a", "value": "${var.x}"}]})
	found({"set_sensitive": [{"name": "a", "value": "b"}]})
	found({"postrender": {"binary_path": "x"}})
}

test_closed_is_quiet if {
	not found(values("service: { type: ClusterIP }\na: $${text}"))
	not found(values("a: ${data.azurerm_user_assigned_identity.loki.client_id}"))
	not found({"set": [{"name": "a", "value": "b"}]})
}
