{{- define "llm-api.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* At most 52 characters, so that suffixes and the names of pods fit into 63. */}}
{{- define "llm-api.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "llm-api.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "llm-api.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "llm-api.selectorLabels" -}}
app.kubernetes.io/name: {{ include "llm-api.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: model
{{- end -}}

{{- define "llm-api.labels" -}}
{{ include "llm-api.selectorLabels" . }}
app.kubernetes.io/part-of: postern
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- include "llm-api.commonLabels" . }}
{{- end -}}

{{/* Lines after others, or nothing. */}}
{{- define "llm-api.commonLabels" -}}
{{- range $key, $value := .Values.commonLabels }}
{{- if not (or (hasPrefix "app.kubernetes.io/" $key) (hasPrefix "postern.dev/" $key) (eq $key "helm.sh/chart")) }}
{{ $key }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "llm-api.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "llm-api.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name is needed when serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "llm-api.guardImage" -}}
{{- with .Values.guard.image -}}
{{- if .digest -}}{{ .repository }}@{{ .digest }}{{- else -}}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{- end -}}
{{- end -}}
{{- end -}}

{{- define "llm-api.modelImage" -}}
{{- if .Values.demo.enabled -}}
{{- include "llm-api.guardImage" . -}}
{{- else -}}
{{- with .Values.model.image -}}
{{- $repository := required "model.image.repository is needed, or demo.enabled for a model without a GPU" .repository -}}
{{- if .digest -}}{{ $repository }}@{{ .digest }}
{{- else -}}{{ $repository }}:{{ required "model.image.tag or model.image.digest is needed: a moving tag gives replicas that differ" .tag }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The demo reads HOST. */}}
{{- define "llm-api.bind" -}}
{{- ternary "env:HOST" .Values.model.bind .Values.demo.enabled -}}
{{- end -}}

{{- define "llm-api.probePath" -}}
{{- ternary "/v1/models" .Values.model.probes.path .Values.demo.enabled -}}
{{- end -}}

{{/* takeover: the model listens on loopback. service: it listens on all addresses and a NetworkPolicy keeps others away. */}}
{{- define "llm-api.mode" -}}
{{- ternary "service" "takeover" (eq (include "llm-api.bind" .) "none") -}}
{{- end -}}

{{/* Where clients come in. The injector takes the model's own number over, or 8080. */}}
{{- define "llm-api.guardPort" -}}
{{- if eq .Values.guard.mode "embedded" -}}
{{- .Values.guard.port -}}
{{- else -}}
{{- ternary 8080 .Values.model.port (eq (include "llm-api.bind" .) "none") -}}
{{- end -}}
{{- end -}}

{{- define "llm-api.scheme" -}}
{{- ternary "https" "http" (and (eq .Values.guard.mode "embedded") (ne .Values.guard.tlsSecret "")) -}}
{{- end -}}

{{- define "llm-api.hasKeys" -}}
{{- if and (eq .Values.guard.mode "embedded") (eq .Values.guard.identity.kind "apiKeys") -}}true{{- end -}}
{{- end -}}

{{/* The Secret with the list of hashes. */}}
{{- define "llm-api.keysSecret" -}}
{{- default (printf "%s-api-key" (include "llm-api.fullname" .)) .Values.guard.identity.apiKeys.existingSecret -}}
{{- end -}}

{{- define "llm-api.generatesKey" -}}
{{- if and (include "llm-api.hasKeys" .) .Values.guard.identity.apiKeys.generate (not .Values.guard.identity.apiKeys.existingSecret) -}}true{{- end -}}
{{- end -}}

{{/* What helm test and the PodMonitor of the model present: a Secret's name, empty for nothing. */}}
{{- define "llm-api.credentialSecret" -}}
{{- if .Values.tests.credentialSecret -}}{{ .Values.tests.credentialSecret }}
{{- else if include "llm-api.generatesKey" . -}}{{ include "llm-api.keysSecret" . }}
{{- end -}}
{{- end -}}

{{- define "llm-api.credentialKey" -}}
{{- ternary .Values.tests.credentialKey "key" (ne .Values.tests.credentialSecret "") -}}
{{- end -}}

{{/* Values that each may have but not together. */}}
{{- define "llm-api.check" -}}
{{- $guard := .Values.guard -}}
{{- $model := .Values.model -}}
{{- if has $guard.adminPort (list $guard.port $model.port) }}{{ fail "guard.adminPort must differ from guard.port and model.port" }}{{ end -}}
{{- if eq $guard.mode "embedded" -}}
{{- if and (eq $guard.port $model.port) (eq (include "llm-api.mode" .) "service") }}{{ fail "guard.port and model.port are the same, and model.bind is none: both would listen on all addresses" }}{{ end -}}
{{- if eq $guard.identity.kind "apiKeys" -}}
{{- with $guard.identity.apiKeys -}}
{{- if not (or .generate .keys .existingSecret) }}{{ fail "guard.identity.apiKeys has no key: set generate, keys or existingSecret" }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if and (eq $guard.identity.kind "jwt") (not $guard.identity.jwtIssuers) }}{{ fail "guard.identity.jwtIssuers is empty: nobody could come in" }}{{ end -}}
{{- end -}}
{{- $bind := splitList ":" (include "llm-api.bind" .) -}}
{{- range .Values.model.env -}}
{{- if and (eq (first $bind) "env") (eq .name (last $bind)) }}{{ fail (printf "model.env sets %s, which model.bind sets to 127.0.0.1: leave it out" .name) }}{{ end -}}
{{- end -}}
{{- range .Values.model.args -}}
{{- if and (eq (first $bind) "arg") (eq (first (splitList "=" .)) (last $bind)) }}{{ fail (printf "model.args has %s, which model.bind sets to 127.0.0.1: leave it out" (last $bind)) }}{{ end -}}
{{- end -}}
{{- if and (eq .Values.cache.kind "existing") (not .Values.cache.existingClaim) }}{{ fail "cache.existingClaim is needed for cache.kind existing" }}{{ end -}}
{{- if .Values.model.verify.enabled -}}
{{- with $model.verify -}}
{{- if ne 1 (len (compact (list .publicKey.configMap .publicKey.secret .certificateChain.configMap .certificateChain.secret .trustedRoot.configMap .trustedRoot.secret))) }}{{ fail "model.verify needs one of publicKey, certificateChain and trustedRoot, with one of configMap and secret: where it stands whose signature counts" }}{{ end -}}
{{- if and (or .trustedRoot.configMap .trustedRoot.secret) (not (and .trustedRoot.identity .trustedRoot.identityProvider)) }}{{ fail "model.verify.trustedRoot needs identity and identityProvider: anybody can sign under Sigstore" }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.download.enabled (not .Values.download.image) }}{{ fail "download.image is needed when download.enabled is true" }}{{ end -}}
{{- if and (ne .Values.autoscaling.kind "none") (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) }}{{ fail "autoscaling.minReplicas is above maxReplicas" }}{{ end -}}
{{- end -}}
