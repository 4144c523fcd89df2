{{- define "observability.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "observability.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains (include "observability.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "observability.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Takes (list $ "component"). */}}
{{- define "observability.selectorLabels" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ include "observability.name" $ }}
app.kubernetes.io/instance: {{ $.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "observability.metadata" -}}
{{- $ := index . 0 -}}
{{- $component := index . 1 -}}
name: {{ include "observability.fullname" $ }}-{{ $component }}
namespace: {{ $.Release.Namespace }}
labels:
  {{- include "observability.selectorLabels" . | nindent 2 }}
  app.kubernetes.io/part-of: postern
  app.kubernetes.io/version: {{ $.Chart.AppVersion | quote }}
  app.kubernetes.io/managed-by: {{ $.Release.Service }}
  helm.sh/chart: {{ printf "%s-%s" $.Chart.Name $.Chart.Version | replace "+" "_" }}
  {{- include "observability.commonLabels" $ | indent 2 }}
{{- end -}}

{{/* Lines after others, or nothing. */}}
{{- define "observability.commonLabels" -}}
{{- range $key, $value := .Values.commonLabels }}
{{- if not (or (hasPrefix "app.kubernetes.io/" $key) (eq $key "helm.sh/chart")) }}
{{ $key }}: {{ $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Labels of what is not called by its component alone, and of pods. Takes (list $ "component"). */}}
{{- define "observability.labels" -}}
{{- include "observability.selectorLabels" . }}
{{- include "observability.commonLabels" (index . 0) }}
{{- end -}}

{{- define "observability.url" -}}
{{- $ := index . 0 -}}
http://{{ include "observability.fullname" $ }}-{{ index . 1 }}.{{ $.Release.Namespace }}.svc:{{ index . 2 }}
{{- end -}}

{{/* What a Secret of this release holds under a key, or a new random text: passwords survive upgrades. Takes (list $ secret key length). */}}
{{- define "observability.kept" -}}
{{- $ := index . 0 -}}
{{- $kept := (lookup "v1" "Secret" $.Release.Namespace (index . 1)).data | default dict -}}
{{- if hasKey $kept (index . 2) -}}{{ get $kept (index . 2) | b64dec }}{{- else -}}{{ randAlphaNum (index . 3) }}{{- end -}}
{{- end -}}

{{- define "observability.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{- define "observability.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{/* The start of a Deployment up to its containers. Takes a map: root, component, user, checksum, token (whether it talks to the API server). */}}
{{- define "observability.deployment" -}}
{{- $ := .root -}}
apiVersion: apps/v1
kind: Deployment
metadata: {{- include "observability.metadata" (list $ .component) | nindent 2 }}
spec:
  replicas: 1
  # One writer to its data at a time.
  strategy: { type: Recreate }
  selector:
    matchLabels: {{- include "observability.selectorLabels" (list $ .component) | nindent 6 }}
  template:
    metadata:
      labels: {{- include "observability.labels" (list $ .component) | nindent 8 }}
      {{- with .checksum }}
      annotations: { checksum/config: {{ . }} }
      {{- end }}
    spec:
      serviceAccountName: {{ include "observability.fullname" $ }}-{{ .component }}
      automountServiceAccountToken: {{ default false .token }}
      enableServiceLinks: false
      securityContext: {{- include "observability.podSecurity" .user | nindent 8 }}
      {{- with $.Values.imagePullSecrets }}
      imagePullSecrets: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $.Values.nodeSelector }}
      nodeSelector: {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $.Values.tolerations }}
      tolerations: {{- toYaml . | nindent 8 }}
      {{- end }}
{{- end -}}

{{/* The volume named data. Takes (list $ component size). */}}
{{- define "observability.data" -}}
{{- $ := index . 0 -}}
- name: data
  {{- if eq $.Values.storage.kind "pvc" }}
  persistentVolumeClaim: { claimName: {{ include "observability.fullname" $ }}-{{ index . 1 }} }
  {{- else }}
  emptyDir: { sizeLimit: {{ index . 2 }} }
  {{- end }}
- name: tmp
  emptyDir: { sizeLimit: 256Mi }
{{- end -}}

{{/* ServiceAccount, Service and claim of a component. Takes (list $ component port size). */}}
{{- define "observability.around" -}}
{{- $ := index . 0 -}}
{{- $component := index . 1 -}}
apiVersion: v1
kind: ServiceAccount
metadata: {{- include "observability.metadata" (list $ $component) | nindent 2 }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata: {{- include "observability.metadata" (list $ $component) | nindent 2 }}
spec:
  selector: {{- include "observability.selectorLabels" (list $ $component) | nindent 4 }}
  ports: [{ name: http, port: {{ index . 2 }}, targetPort: http }]
{{- if and (eq $.Values.storage.kind "pvc") (index . 3) }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  {{- include "observability.metadata" (list $ $component) | nindent 2 }}
  {{- if $.Values.storage.keep }}
  annotations: { helm.sh/resource-policy: keep }
  {{- end }}
spec:
  accessModes: [ReadWriteOnce]
  {{- with $.Values.storage.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources: { requests: { storage: {{ index . 3 }} } }
{{- end }}
{{- end -}}
