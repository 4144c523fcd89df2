{{/* After the download, before the model server: it starts only when this ends with 0. */}}
{{- define "llm-api.verify" -}}
{{- $verify := .Values.model.verify -}}
{{- $trust := include "llm-api.trust" . | fromJson -}}
- name: verify-model
  image: {{ default (include "llm-api.guardImage" .) $verify.image }}
  imagePullPolicy: {{ .Values.guard.image.pullPolicy }}
  command: [{{ .Values.demo.node }}, /postern/security/src/model/init-container.ts]
  args:
    - {{ include "llm-api.modelFolder" . }}
    - --{{ $trust.option }}=/etc/model-key/{{ $trust.key }}
    {{- with $trust.identity }}
    - {{ printf "--identity=%s" . | toJson }}
    - {{ printf "--identity-provider=%s" $trust.identityProvider | toJson }}
    {{- end }}
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

{{/* The one of the three that is named, with the option of the check that takes it, as JSON. */}}
{{- define "llm-api.trust" -}}
{{- $verify := .Values.model.verify -}}
{{- range $option, $file := dict "public-key" $verify.publicKey "certificate-chain" $verify.certificateChain "trusted-root" $verify.trustedRoot -}}
{{- if or $file.configMap $file.secret }}{{ merge (dict "option" $option) $file | toJson }}{{ end -}}
{{- end -}}
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
{{- $key := include "llm-api.trust" . | fromJson -}}
{{- $items := list (dict "key" $key.key "path" $key.key) -}}
- name: model-key
  {{- if $key.configMap }}
  configMap: { name: {{ $key.configMap }}, items: {{ toJson $items }} }
  {{- else }}
  secret: { secretName: {{ $key.secret }}, items: {{ toJson $items }} }
  {{- end }}
{{- end -}}
