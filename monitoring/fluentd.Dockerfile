# Fluentd with the plug-ins that fluentd-config.yaml uses. For Kubernetes build it, push it and name it in the chart's values.
# The client 9.0.2 is the one that release 6.0.0 of the plug-in was tried with; with newer ones Elasticsearch may refuse bulk requests for
# two Accept headers (github.com/uken/fluent-plugin-elasticsearch/issues/1086).
FROM fluent/fluentd:v1.19.3-debian-2.4
USER root
RUN apt-get update \
 && apt-get install --yes --no-install-recommends build-essential \
 && gem install --no-document elasticsearch:9.0.2 fluent-plugin-elasticsearch:6.0.0 fluent-plugin-grafana-loki:1.3.0 fluent-plugin-concat:2.6.2 \
 && apt-get purge --yes --auto-remove build-essential \
 && rm -rf /var/lib/apt/lists/* /tmp/*
# docker compose has no ConfigMap: the same text, cut out of it.
COPY fluentd-config.yaml /tmp/
RUN ruby -ryaml -e 'puts YAML.load_stream(File.read("/tmp/fluentd-config.yaml"))[0]["data"]["fluent.conf"]' > /fluentd/etc/fluent.conf
USER fluent
