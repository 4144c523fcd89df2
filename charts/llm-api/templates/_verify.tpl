{{/* After the download, before the model server: it starts only when this ends with 0. */}}
{{- define "llm-api.verify" -}}
{{- $verify := .Values.model.verify -}}
- name: verify-model
  image: {{ default (include "llm-api.guardImage" .) $verify.image }}
  imagePullPolicy: {{ .Values.guard.image.pullPolicy }}
  command: [{{ .Values.demo.node }}, /postern/security/src/model/init-container.ts]
  args:
    - {{ include "llm-api.modelFolder" . }}
    - --public-key=/etc/model-key/{{ $verify.publicKey.key }}
    - --signature={{ $verify.signature }}
    {{- with $verify.digest }}
    - --digest={{ . }}
    {{- end }}
  # What is wrong stands in the status of the pod.
  terminationMessagePolicy: FallbackToLogsOnError
  resources: {{- toYaml $verify.resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: { drop: [ALL] }
    seccompProfile: { type: RuntimeDefault }
  volumeMounts:
    {{- include "llm-api.modelMount" . | nindent 4 }}
    - { name: model-key, mountPath: /etc/model-key, readOnly: true }
{{- end -}}

{{- define "llm-api.modelFolder" -}}
{{ .Values.cache.path }}{{ with .Values.model.verify.folder }}/{{ . }}{{ end }}
{{- end -}}

{{/* The check and the model server mount the same folder, and neither can write it. */}}
{{- define "llm-api.modelMount" -}}
- name: cache
  mountPath: {{ include "llm-api.modelFolder" . }}
  {{- with .Values.model.verify.folder }}
  subPath: {{ . }}
  {{- end }}
  readOnly: true
{{- end -}}

{{- define "llm-api.keyVolume" -}}
{{- $key := .Values.model.verify.publicKey -}}
{{- $items := list (dict "key" $key.key "path" $key.key) -}}
- name: model-key
  {{- if $key.configMap }}
  configMap: { name: {{ $key.configMap }}, items: {{ toJson $items }} }
  {{- else }}
  secret: { secretName: {{ $key.secret }}, items: {{ toJson $items }} }
  {{- end }}
{{- end -}}
