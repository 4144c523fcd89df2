{{/*
The profiles, by name, as JSON: default, with the profile laid over it, and what only the release knows where the profile does not say it.
*/}}
{{- define "postern.profiles" -}}
{{- $profiles := dict }}
{{- $default := .Values.guard.profiles.default | default dict }}
{{- range $name, $profile := .Values.guard.profiles }}
{{- $full := mergeOverwrite (deepCopy $default) (deepCopy ($profile | default dict)) }}
{{- if not (hasKey $full "identity") }}
{{- $_ := set $full "identity" $.Values.guard.identity }}
{{- end }}
{{- $_ := set $full "identity" (include "postern.identity" (dict "identity" $full.identity "root" $) | fromJson) }}
{{- if not (hasKey $full "workload") }}
{{- $workload := include "postern.workload" $ | fromJson }}
{{- if $workload }}
{{- $_ := set $full "workload" $workload }}
{{- end }}
{{- end }}
{{- $policy := $full.policy | default dict }}
{{- if and $.Values.policies.enabled (not (hasKey $policy "remote")) (not (hasKey $policy "bundle")) (ne ($policy.engine | default "wasm") "opa") }}
{{- $_ := set $full "policy" (merge (dict "remote" (include "postern.remote" $ | fromJson)) $policy) }}
{{- end }}
{{- $respond := $full.respond | default dict }}
{{- if and $.Values.respond.enabled (not (hasKey $respond "controller")) }}
{{- $_ := set $full "respond" (merge (dict "controller" (include "postern.orders" $ | fromJson)) $respond (dict "store" "/run/postern/responses.json")) }}
{{- end }}
{{- $_ := set $profiles $name $full }}
{{- end }}
{{- $profiles | toJson }}
{{- end }}

{{/*
An identity section as JSON. Guards ask the controller whose a ServiceAccount token is, unless the section names another server: the
workload that they guard then needs no right at the API server, and no token for it.
*/}}
{{- define "postern.identity" -}}
{{- $identity := deepCopy (.identity | default dict) }}
{{- $accounts := $identity.serviceAccounts | default dict }}
{{- if and $accounts (not $accounts.server) }}
{{- $asked := dict "server" (include "postern.controller.url" .root) "caFile" "/etc/postern/trust/ca.crt" "tokenFile" "/var/run/postern/token" }}
{{- $_ := set $identity "serviceAccounts" (merge $accounts $asked) }}
{{- end }}
{{- $identity | toJson }}
{{- end }}

{{- define "postern.workload" -}}
{{- $directory := "/run/postern/identity" }}
{{- if eq .Values.injection.identity "controller" }}
{{- dict "source" "controller" "url" (include "postern.controller.url" .) "caFile" "/etc/postern/trust/ca.crt" "tokenFile" "/var/run/postern/token" "directory" $directory | toJson }}
{{- else if eq .Values.injection.identity "spire" }}
{{- dict "source" "spire" "socket" "/run/spire/agent.sock" "directory" $directory | toJson }}
{{- else }}
{{- dict | toJson }}
{{- end }}
{{- end }}

{{- define "postern.remote" -}}
{{- dict "url" (printf "%s/v1/bundles/postern.tar.gz" (include "postern.controller.url" .)) "caFile" "/etc/postern/trust/ca.crt" "tokenFile" "/var/run/postern/token" "publicKeyFile" "/etc/postern/trust/bundle.pub" "file" "/run/postern/bundle.tar.gz" | toJson }}
{{- end }}

{{- define "postern.orders" -}}
{{- dict "url" (include "postern.controller.url" .) "caFile" "/etc/postern/trust/ca.crt" "tokenFile" "/var/run/postern/token" "keep" "/run/postern/orders.json" | toJson }}
{{- end }}

{{/*
The profiles as a CEL map of their text as it stands in a pod, where Kubernetes would expand `$(`. What JSON writes in a string, CEL reads.
The text is that of the ConfigMap to the byte: guard.yaml indents it by a block scalar, which ends with one line break.
*/}}
{{- define "postern.profiles.cel" -}}
{
{{- $first := true }}
{{- range $name, $profile := include "postern.profiles" . | fromJson -}}
{{- if not $first }}, {{ end }}{{ $first = false }}'{{ $name }}': {{ printf "%s\n" ($profile | toYaml) | replace "$(" "$$(" | toJson }}
{{- end -}}
}
{{- end }}
