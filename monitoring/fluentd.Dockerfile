# Fluentd with the plug-ins that fluentd-config.yaml uses. For Kubernetes build it, push it and name it in the chart's values.
FROM fluent/fluentd:v1.18-debian-1
USER root
RUN gem install --no-document fluent-plugin-concat -v '~> 2.5' \
 && gem install --no-document fluent-plugin-grafana-loki -v '~> 1.3' \
 && gem install --no-document fluent-plugin-elasticsearch -v '~> 5.4'
# docker compose has no ConfigMap: the same text, cut out of it.
COPY fluentd-config.yaml /tmp/
RUN ruby -ryaml -e 'puts YAML.load_stream(File.read("/tmp/fluentd-config.yaml"))[0]["data"]["fluent.conf"]' > /fluentd/etc/fluent.conf
USER fluent
