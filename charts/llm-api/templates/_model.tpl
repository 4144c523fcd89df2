{{/* Variables of yours, and HOME and HF_HOME in the cache where you do not set them: a name may stand once only. */}}
{{- define "llm-api.cacheEnv" -}}
{{- $set := list -}}
{{- range .env }}{{ $set = append $set .name }}{{ end -}}
{{- range list "HOME" "HF_HOME" -}}
{{- if not (has . $set) }}
- { name: {{ . }}, value: {{ $.path }} }
{{- end -}}
{{- end -}}
{{- with .env }}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{- define "llm-api.model" -}}
{{- $embedded := eq .Values.guard.mode "embedded" -}}
{{- $bind := splitList ":" (include "llm-api.bind" .) -}}
{{- $loopback := and $embedded (ne (first $bind) "none") -}}
- name: model
  image: {{ include "llm-api.modelImage" . }}
  imagePullPolicy: {{ ternary .Values.guard.image.pullPolicy .Values.model.image.pullPolicy .Values.demo.enabled }}
  {{- if .Values.demo.enabled }}
  command: [{{ .Values.demo.node }}, --max-semi-space-size=16, --input-type=module, --eval]
  args:
    - |-
      import { startModel } from '/postern/proxy/demo/model.ts'
      const { PORT, HOST } = process.env
      const { url } = await startModel({ port: Number(PORT), host: HOST ?? '0.0.0.0', paceMs: 20 })
      process.stdout.write(`demo model on ${url}\n`)
      // The first process of a container gets no default action for it.
      process.on('SIGTERM', () => process.exit(0))
  {{- else }}
  {{- with .Values.model.command }}
  command: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- $args := .Values.model.args }}
  {{- if and $loopback (eq (first $bind) "arg") }}{{ $args = concat $args (list (last $bind) "127.0.0.1") }}{{ end }}
  {{- with $args }}
  args: {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  env:
    {{- include "llm-api.cacheEnv" (dict "path" (ternary "/tmp" .Values.cache.path .Values.model.verify.enabled) "env" .Values.model.env) | nindent 4 }}
    {{- if .Values.demo.enabled }}
    - { name: PORT, value: {{ .Values.model.port | quote }} }
    {{- end }}
    {{- if and $loopback (eq (first $bind) "env") }}
    - { name: {{ last $bind }}, value: 127.0.0.1 }
    {{- end }}
  {{- with .Values.model.envFromSecrets }}
  envFrom:
    {{- range . }}
    - secretRef: { name: {{ . }} }
    {{- end }}
  {{- end }}
  ports:
    - { name: {{ ternary "model" "http" $embedded }}, containerPort: {{ .Values.model.port }} }
  {{- include "llm-api.probes" . | nindent 2 }}
  {{- if $embedded }}
  lifecycle:
    preStop:
      # The model gets its end signal before the sidecars do: it must wait while the guard finishes running answers.
      sleep: { seconds: {{ .Values.guard.drainSeconds }} }
  {{- end }}
  resources: {{- toYaml .Values.model.resources | nindent 4 }}
  securityContext: {{- toYaml .Values.model.securityContext | nindent 4 }}
  volumeMounts:
    {{- if .Values.model.verify.enabled }}
    {{- include "llm-api.modelMount" . | nindent 4 }}
    {{- else }}
    - { name: cache, mountPath: {{ .Values.cache.path }} }
    {{- end }}
    - { name: tmp, mountPath: /tmp }
    {{- if .Values.model.sharedMemory.enabled }}
    - { name: shm, mountPath: /dev/shm }
    {{- end }}
{{- end -}}

{{/* In mode embedded the guard asks the model: the kubelet does not reach a loopback address. */}}
{{- define "llm-api.probes" -}}
{{- $probes := .Values.model.probes -}}
{{- $embedded := eq .Values.guard.mode "embedded" -}}
{{- $path := include "llm-api.probePath" . -}}
{{- $port := ternary .Values.guard.adminPort .Values.model.port $embedded -}}
startupProbe:
  httpGet: { path: {{ ternary "/app-health/model/startup" $path $embedded }}, port: {{ $port }} }
  periodSeconds: {{ min 5 (int $probes.periodSeconds) }}
  timeoutSeconds: {{ $probes.timeoutSeconds }}
  failureThreshold: {{ max 1 (div $probes.startSeconds (min 5 (int $probes.periodSeconds))) }}
livenessProbe:
  httpGet: { path: {{ ternary "/app-health/model/liveness" $path $embedded }}, port: {{ $port }} }
  periodSeconds: {{ $probes.periodSeconds }}
  timeoutSeconds: {{ $probes.timeoutSeconds }}
  failureThreshold: {{ $probes.failureThreshold }}
readinessProbe:
  httpGet: { path: {{ ternary "/app-health/model/readiness" $path $embedded }}, port: {{ $port }} }
  periodSeconds: {{ $probes.periodSeconds }}
  timeoutSeconds: {{ $probes.timeoutSeconds }}
  failureThreshold: 1
{{- end -}}
