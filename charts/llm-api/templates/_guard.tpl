{{/* The guard's configuration file in mode embedded. */}}
{{- define "llm-api.config" -}}
{{- $guard := .Values.guard -}}
{{- $listen := dict "host" "0.0.0.0" "port" $guard.port -}}
{{- $drain := dict "grace" (printf "%ds" (min 5 (int $guard.drainSeconds))) "deadline" (printf "%ds" (int $guard.drainSeconds)) -}}
{{- $server := dict "listen" $listen "drain" $drain -}}
{{- if $guard.tlsSecret -}}
{{- $_ := set $server "tls" (dict "certFile" "/etc/postern/tls/tls.crt" "keyFile" "/etc/postern/tls/tls.key") -}}
{{- end -}}
{{- $models := list -}}
{{- range $name := .Values.model.names -}}
{{- $target := dict "upstream" "model" -}}
{{- with $.Values.model.servedName }}{{ $_ := set $target "model" . }}{{ end -}}
{{- $models = append $models (dict "name" $name "targets" (list $target)) -}}
{{- end -}}
{{- $config := dict
  "server" $server
  "admin" (dict "host" "0.0.0.0" "port" $guard.adminPort)
  "identity" (include "llm-api.identity" . | fromYaml)
  "upstreams" (list (dict "name" "model" "url" (printf "http://127.0.0.1:%d" (int .Values.model.port))))
  "models" $models
  "audit" (dict "stdout" true)
  "telemetry" (dict "log" (dict "level" $guard.logLevel))
-}}
{{- with $guard.modelMetricsPath -}}
{{- $_ := set $config "routes" (list (dict "name" "model-metrics" "path" . "inspect" false "upstream" "model")) -}}
{{- end -}}
{{- with $guard.extras }}{{ $_ := set $config "inspection" (dict "extras" .) }}{{ end -}}
{{- mergeOverwrite $config (deepCopy $guard.config) | toYaml -}}
{{- end -}}

{{- define "llm-api.identity" -}}
{{- with .Values.guard.identity -}}
{{- if eq .kind "apiKeys" }}
apiKeys: { file: /etc/postern/keys/api-keys.yaml }
{{- else if eq .kind "jwt" }}
jwt:
  issuers: {{- toYaml .jwtIssuers | nindent 4 }}
{{- else }}
anonymous: {{- toYaml .anonymous | nindent 2 }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* What the guard is told about its pod: proxy/src/core/pod.ts. */}}
{{- define "llm-api.overlay" -}}
{{- $probes := list -}}
{{- $timeout := .Values.model.probes.timeoutSeconds -}}
{{- range $kind := list "startup" "liveness" "readiness" -}}
{{- $action := dict "kind" "http" "scheme" "HTTP" "port" $.Values.model.port "path" (include "llm-api.probePath" $) "headers" list -}}
{{- $probes = append $probes (dict "path" (printf "/app-health/model/%s" $kind) "action" $action "timeoutSeconds" $timeout) -}}
{{- end -}}
{{- $address := ternary "pod" "any" (eq (int .Values.guard.port) (int .Values.model.port)) -}}
{{- dict
  "listen" (dict "address" $address "port" .Values.guard.port)
  "adminPort" .Values.guard.adminPort
  "modelUrl" (printf "http://127.0.0.1:%d" (int .Values.model.port))
  "models" list
  "probes" $probes
  "drainSeconds" .Values.guard.drainSeconds
  | toJson -}}
{{- end -}}

{{/* The annotation that the injector writes as well. */}}
{{- define "llm-api.status" -}}
{{- $model := dict "container" "model" "port" .Values.model.port "bind" (include "llm-api.bind" .) -}}
{{- dict "version" .Chart.AppVersion "image" (include "llm-api.guardImage" .) "profile" "chart" "mode" (include "llm-api.mode" .) "port" .Values.guard.port "model" $model "warnings" list | toJson -}}
{{- end -}}

{{/* The native sidecar: first of the init containers, so that nothing of the pod runs before it is ready. */}}
{{- define "llm-api.sidecar" -}}
- name: postern
  image: {{ include "llm-api.guardImage" . }}
  imagePullPolicy: {{ .Values.guard.image.pullPolicy }}
  restartPolicy: Always
  args: [serve, /etc/postern/postern.yaml, --pod, 'env:POSTERN_POD']
  env:
    - name: POSTERN_POD
      value: {{ include "llm-api.overlay" . | replace "$(" "$$(" | quote }}
    - name: POD_IP
      valueFrom: { fieldRef: { fieldPath: status.podIP } }
    - name: POD_NAME
      valueFrom: { fieldRef: { fieldPath: metadata.name } }
    - name: POD_NAMESPACE
      valueFrom: { fieldRef: { fieldPath: metadata.namespace } }
    - name: POD_UID
      valueFrom: { fieldRef: { fieldPath: metadata.uid } }
    - name: SERVICE_ACCOUNT
      valueFrom: { fieldRef: { fieldPath: spec.serviceAccountName } }
  ports:
    - { name: guard, containerPort: {{ .Values.guard.port }} }
    - { name: postern-admin, containerPort: {{ .Values.guard.adminPort }} }
  startupProbe:
    httpGet: { path: /readyz, port: {{ .Values.guard.adminPort }} }
    periodSeconds: 1
    timeoutSeconds: 2
    failureThreshold: 60
  readinessProbe:
    httpGet: { path: /readyz, port: {{ .Values.guard.adminPort }} }
    periodSeconds: 2
    timeoutSeconds: 2
    failureThreshold: 2
  livenessProbe:
    httpGet: { path: /livez, port: {{ .Values.guard.adminPort }} }
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 3
  lifecycle:
    preStop:
      httpGet: { path: /drain, port: {{ .Values.guard.adminPort }} }
  resources: {{- toYaml .Values.guard.resources | nindent 4 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities: { drop: [ALL] }
    seccompProfile: { type: RuntimeDefault }
  volumeMounts:
    - { name: postern-config, mountPath: /etc/postern/postern.yaml, subPath: postern.yaml, readOnly: true }
    - { name: postern-run, mountPath: /run/postern }
    - { name: postern-tmp, mountPath: /tmp }
    - { name: postern-audit, mountPath: /var/log/postern }
    {{- if include "llm-api.hasKeys" . }}
    - { name: postern-keys, mountPath: /etc/postern/keys, readOnly: true }
    {{- end }}
    {{- if .Values.guard.tlsSecret }}
    - { name: postern-tls, mountPath: /etc/postern/tls, readOnly: true }
    {{- end }}
    {{- if .Values.guard.secret }}
    - { name: postern-secret, mountPath: /etc/postern/secrets, readOnly: true }
    {{- end }}
{{- end -}}

{{- define "llm-api.sidecarVolumes" -}}
- name: postern-config
  configMap: { name: {{ include "llm-api.fullname" . }}-guard }
- name: postern-run
  emptyDir: { medium: Memory, sizeLimit: 64Mi }
- name: postern-tmp
  emptyDir: { medium: Memory, sizeLimit: 64Mi }
- name: postern-audit
  emptyDir: { sizeLimit: 1Gi }
{{- if include "llm-api.hasKeys" . }}
- name: postern-keys
  secret:
    secretName: {{ include "llm-api.keysSecret" . }}
    items: [{ key: api-keys.yaml, path: api-keys.yaml }]
{{- end }}
{{- with .Values.guard.tlsSecret }}
- name: postern-tls
  secret: { secretName: {{ . }} }
{{- end }}
{{- with .Values.guard.secret }}
- name: postern-secret
  secret: { secretName: {{ . }} }
{{- end }}
{{- end -}}
