package infra.pins_test

import data.infra.pins

found(given) if count(pins.deny) > 0 with input as given

chart(version) := {"resource": {"helm_release": {"x": {"chart": "loki", "version": version}}}}

test_charts if {
	not found(chart("18.11.0"))
	not found(chart("v1.21.1"))
	found(chart("18.x"))
	found(chart(">=1.0.0"))
	found(chart(""))
	not found({"resource": {"helm_release": {"x": {"chart": "${path.module}/../charts/postern"}}}})
	found({"resource": {"helm_release": {"x": {"chart": "loki", "version": "1.0.0", "repository": "http://charts"}}}})
	found({"resource": {"helm_release": {"x": {"chart": "http://charts/loki-1.0.0.tgz", "version": "1.0.0"}}}})
}

test_providers if {
	found({"terraform": {"required_providers": {"aws": {"version": "~> 5.0"}}}})
	not found({"terraform": {"required_providers": {"aws": {"version": "5.100.0"}}}})
}

image(name) := {"resource": {"kubernetes_daemon_set_v1": {"x": {"spec": {"container": [{"image": name}]}}}}}

test_images if {
	found(image("rclone/rclone"))
	found(image("localhost:5000/rclone"))
	found(image("rclone/rclone:latest"))
	not found(image("docker.io/rclone/rclone:1.76.0"))
	not found(image("rclone/rclone@sha256:00"))
}
