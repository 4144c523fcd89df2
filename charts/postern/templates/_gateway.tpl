{{/* The gateway's configuration as JSON: that of the values, and around it what the chart knows. */}}
{{- define "postern.gateway.config" -}}
{{- $gateway := .Values.gateway }}
{{- $server := dict "listen" (dict "host" "0.0.0.0" "port" 8080) "drain" (dict "grace" (printf "%ds" (int $gateway.graceSeconds)) "deadline" (printf "%ds" (int $gateway.drainSeconds))) }}
{{- if ne $gateway.tls.source "none" }}
{{- $tls := dict "certFile" "/etc/postern/tls/tls.crt" "keyFile" "/etc/postern/tls/tls.key" "clientAuth" $gateway.tls.clientAuth }}
{{- if ne $gateway.tls.clientAuth "off" }}
{{- $_ := set $tls "clientCaFile" "/etc/postern/tls/ca.crt" }}
{{- end }}
{{- $_ := set $server "tls" $tls }}
{{- end }}
{{- $base := dict "server" $server "admin" (dict "host" "0.0.0.0" "port" 8081) "identity" .Values.guard.identity "audit" (dict "stdout" true) }}
{{- if .Values.policies.enabled }}
{{- $_ := set $base "policy" (dict "remote" (include "postern.remote" . | fromJson)) }}
{{- end }}
{{- with $gateway.redis.url }}
{{- $replicas := or $gateway.autoscaling.enabled $gateway.keda.enabled | ternary $gateway.autoscaling.maxReplicas $gateway.replicas }}
{{- $redis := dict "url" . "strict" $gateway.redis.strict "replicas" (int $replicas) }}
{{- if $gateway.redis.password.secret }}
{{- $_ := set $redis "password" (dict "env" "REDIS_PASSWORD") }}
{{- end }}
{{- $_ := set $base "limits" (dict "store" "redis" "redis" $redis) }}
{{- end }}
{{- $own := deepCopy $gateway.configuration }}
{{- $policy := $own.policy | default dict }}
{{- if or (hasKey $policy "bundle") (eq ($policy.engine | default "wasm") "opa") }}
{{- $base = omit $base "policy" }}
{{- end }}
{{- if hasKey $own "identity" }}
{{- $base = omit $base "identity" }}
{{- end }}
{{- $full := mergeOverwrite $base $own }}
{{- $_ := set $full "identity" (include "postern.identity" (dict "identity" $full.identity "root" .) | fromJson) }}
{{- $full | toJson }}
{{- end }}

{{/* Not empty where the gateway shows its token to the controller: for policies, or to ask whose a caller's token is. */}}
{{- define "postern.gateway.asksController" -}}
{{- if contains (include "postern.controller.url" .) (include "postern.gateway.config" .) }}yes{{ end }}
{{- end }}

{{- define "postern.gateway.pod" -}}
{{- $gateway := .Values.gateway }}
serviceAccountName: {{ .Release.Name }}-gateway
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $gateway.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $gateway.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $gateway.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $gateway.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $gateway.spreadOver }}
topologySpreadConstraints: {{- include "postern.spread" (dict "over" . "selector" "postern.gateway.selector" "root" $) | nindent 2 }}
{{- end }}
# After the drain's deadline it cuts what still runs and writes the last audit records.
terminationGracePeriodSeconds: {{ add $gateway.drainSeconds 10 }}
securityContext: {{- include "postern.podSecurityContext" . | nindent 2 }}
containers:
  - name: gateway
    image: {{ include "postern.image" . | quote }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
    args: [serve, /etc/postern/config/postern.yaml]
    {{- if and $gateway.redis.url $gateway.redis.password.secret }}
    env:
      - name: REDIS_PASSWORD
        valueFrom: { secretKeyRef: { name: {{ $gateway.redis.password.secret }}, key: {{ $gateway.redis.password.key | default "password" }} } }
    {{- end }}
    ports:
      - { name: http, containerPort: 8080 }
      - { name: metrics, containerPort: 8081 }
    startupProbe:
      httpGet: { path: /readyz, port: metrics }
      periodSeconds: 2
      failureThreshold: 60
    livenessProbe:
      httpGet: { path: /livez, port: metrics }
      periodSeconds: 10
      timeoutSeconds: 5
    readinessProbe:
      httpGet: { path: /readyz, port: metrics }
      periodSeconds: 5
      timeoutSeconds: 5
    # Answers that run go on until they end or the deadline comes; new ones are taken for the grace.
    lifecycle:
      preStop: { httpGet: { path: /drain, port: metrics } }
    {{- with $gateway.resources }}
    resources: {{- toYaml . | nindent 6 }}
    {{- end }}
    securityContext: {{- include "postern.securityContext" . | nindent 6 }}
    volumeMounts:
      - { name: config, mountPath: /etc/postern/config, readOnly: true }
      - { name: run, mountPath: /run/postern }
      - { name: tmp, mountPath: /tmp }
      {{- if include "postern.gateway.asksController" . }}
      - { name: trust, mountPath: /etc/postern/trust, readOnly: true }
      - { name: token, mountPath: /var/run/postern, readOnly: true }
      {{- end }}
      {{- if ne $gateway.tls.source "none" }}
      - { name: tls, mountPath: /etc/postern/tls, readOnly: true }
      {{- end }}
      {{- if $gateway.secret }}
      - { name: secrets, mountPath: /etc/postern/secrets, readOnly: true }
      {{- end }}
volumes:
  - name: config
    configMap: { name: {{ .Release.Name }}-gateway }
  - name: run
    emptyDir: { medium: Memory, sizeLimit: 64Mi }
  - name: tmp
    emptyDir: { medium: Memory, sizeLimit: 64Mi }
  {{- if include "postern.gateway.asksController" . }}
  - name: trust
    configMap: { name: postern-trust }
  - name: token
    projected:
      defaultMode: 0440
      sources: [{ serviceAccountToken: { path: token, audience: postern-controller, expirationSeconds: 3600 } }]
  {{- end }}
  {{- if ne $gateway.tls.source "none" }}
  - name: tls
    secret: { secretName: {{ include "postern.gateway.tlsSecret" . }}, defaultMode: 0440 }
  {{- end }}
  {{- with $gateway.secret }}
  - name: secrets
    secret: { secretName: {{ . }}, defaultMode: 0440 }
  {{- end }}
{{- end }}

{{- define "postern.gateway.tlsSecret" -}}
{{ .Values.gateway.tls.secret | default (printf "%s-gateway-tls" .Release.Name) }}
{{- end }}
