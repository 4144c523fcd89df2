{{/* Pods, whichever of their ports is declared: one target each at the admin port. */}}
{{- define "observability.prometheusConfig" -}}
{{- $prometheus := .Values.prometheus -}}
global:
  scrape_interval: {{ $prometheus.interval }}
  evaluation_interval: {{ $prometheus.interval }}
rule_files: [/etc/prometheus/*.rules.yaml]
alerting:
  alertmanagers:
    - static_configs:
        - targets: ['{{ include "observability.fullname" . }}-alertmanager.{{ .Release.Namespace }}.svc:9093']
scrape_configs:
  - job_name: postern-guard
    kubernetes_sd_configs:
      - role: pod
        selectors: [{ role: pod, label: postern.dev/injected=true }]
        {{- with $prometheus.namespaces }}
        namespaces: { names: {{ toJson . }} }
        {{- end }}
    relabel_configs:
      - { source_labels: [__meta_kubernetes_pod_container_name], regex: postern, action: keep }
      {{- include "observability.podTargets" . | nindent 6 }}
  - job_name: postern-controller
    kubernetes_sd_configs:
      - role: pod
        selectors: [{ role: pod, label: 'app.kubernetes.io/part-of=postern,app.kubernetes.io/component in (controller,gateway)' }]
        namespaces: { names: [{{ $prometheus.posternNamespace }}] }
    relabel_configs:
      {{- include "observability.podTargets" . | nindent 6 }}
  - job_name: prometheus
    static_configs: [{ targets: ['127.0.0.1:9090'] }]
{{- with $prometheus.scrapeConfigs }}
{{ toYaml . | indent 2 }}
{{- end }}
{{- end -}}

{{- define "observability.podTargets" -}}
- { source_labels: [__meta_kubernetes_pod_phase], regex: Pending|Succeeded|Failed, action: drop }
- { source_labels: [__meta_kubernetes_pod_ip], regex: '([^:]+)', target_label: __address__, replacement: '$1:{{ .Values.prometheus.adminPort }}' }
- { source_labels: [__meta_kubernetes_pod_ip], regex: '(.*:.*)', target_label: __address__, replacement: '[$1]:{{ .Values.prometheus.adminPort }}' }
- { source_labels: [__address__, __meta_kubernetes_pod_annotation_postern_dev_admin_port], regex: '(.*):[0-9]+;([0-9]+)', target_label: __address__, replacement: '$1:$2' }
- { source_labels: [__meta_kubernetes_namespace], target_label: namespace }
- { source_labels: [__meta_kubernetes_pod_name], target_label: pod }
- { source_labels: [__meta_kubernetes_pod_label_app_kubernetes_io_name], target_label: app }
{{- end -}}
