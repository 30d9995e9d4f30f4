{{- /* What the pods of all roles have in common. Each takes (dict "role" "scorer" "root" .). */ -}}

{{- /* A secret as a variable: (list VARIABLE SECRET KEY). */ -}}
{{- define "weir.secretVariable" -}}
{{- $name := index . 0 -}}{{- $secret := index . 1 -}}{{- $key := index . 2 -}}
{{- if $secret }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ $secret | quote }}, key: {{ $key | quote }}}}
{{- end }}
{{- end -}}

{{- /* A secret as a file that a setting names: (list VARIABLE SECRET FOLDER KEY). */ -}}
{{- define "weir.fileVariable" -}}
{{- if index . 1 }}
- name: {{ index . 0 }}
  value: {{ printf "/etc/weir/%s/%s" (index . 2) (index . 3) }}
{{- end }}
{{- end -}}

{{- define "weir.env" -}}
{{- $s := .root.Values.secrets -}}
- name: WEIR_SERVE_STATE_DIR
  value: /var/lib/weir/state
- name: WEIR_LOG_SHAPE
  value: json
{{- if eq .role "scorer" }}
- name: WEIR_SCORE_INSTANCE
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- end }}
{{- if .root.Values.hadoopConfigMap }}
- name: HADOOP_CONF_DIR
  value: /etc/hadoop
{{- end }}
{{- include "weir.secretVariable" (list "WEIR_KAFKA_SASL_USERNAME" $s.kafkaUser.name $s.kafkaUser.usernameKey) }}
{{- include "weir.secretVariable" (list "WEIR_KAFKA_SASL_PASSWORD" $s.kafkaUser.name $s.kafkaUser.passwordKey) }}
{{- include "weir.fileVariable" (list "WEIR_KAFKA_SSL_CA_LOCATION" $s.kafkaAuthority.name "kafka-authority" $s.kafkaAuthority.key) }}
{{- include "weir.fileVariable" (list "WEIR_CONTROL_TRUSTED_KEYS" $s.trustedKeys.name "trusted-keys" $s.trustedKeys.key) }}
{{- if has .role (list "scorer" "gateway") }}
{{- include "weir.secretVariable" (list "WEIR_REDIS_URL" $s.redisUrl.name $s.redisUrl.key) }}
{{- include "weir.fileVariable" (list "WEIR_REDIS_AUTH_FILE" $s.redisLogin.name "redis-login" $s.redisLogin.key) }}
{{- include "weir.fileVariable" (list "WEIR_CACHE_KEY_FILE" $s.cacheKey.name "cache-key" $s.cacheKey.key) }}
{{- end }}
{{- if eq .role "trainer" }}
{{- include "weir.fileVariable" (list "WEIR_CONTROL_SIGNING_KEY" $s.signingKey.name "signing-key" $s.signingKey.key) }}
{{- end }}
{{- if eq .role "gateway" }}
- name: WEIR_SERVE_ADDRESS
  value: 0.0.0.0
- name: WEIR_SERVE_PORT
  value: {{ .root.Values.gateway.port | quote }}
{{- if .root.Values.gateway.grpcPort }}
- name: WEIR_SERVE_GRPC_PORT
  value: {{ .root.Values.gateway.grpcPort | quote }}
{{- end }}
{{- include "weir.secretVariable" (list "WEIR_SERVE_TOKEN_LIST" $s.gatewayTokens.name $s.gatewayTokens.key) }}
{{- include "weir.secretVariable" (list "READ_TOKEN" $s.readToken.name $s.readToken.key) }}
{{- include "weir.fileVariable" (list "WEIR_SERVE_TLS_CERTIFICATE" $s.gatewayTls.name "gateway-tls" "tls.crt") }}
{{- include "weir.fileVariable" (list "WEIR_SERVE_TLS_KEY" $s.gatewayTls.name "gateway-tls" "tls.key") }}
{{- end }}
{{- with (index .root.Values .role).env }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* The secrets that a role has as files: folder and name. */ -}}
{{- define "weir.files" -}}
{{- $s := .root.Values.secrets -}}
{{- $files := dict "kafka-authority" $s.kafkaAuthority.name "trusted-keys" $s.trustedKeys.name -}}
{{- if has .role (list "scorer" "gateway") -}}
{{- $files = merge $files (dict "redis-login" $s.redisLogin.name "cache-key" $s.cacheKey.name) -}}
{{- end -}}
{{- if eq .role "trainer" -}}{{- $files = merge $files (dict "signing-key" $s.signingKey.name) -}}{{- end -}}
{{- if eq .role "gateway" -}}{{- $files = merge $files (dict "gateway-tls" $s.gatewayTls.name) -}}{{- end -}}
{{- range $folder, $secret := $files -}}{{- if not $secret -}}{{- $files = omit $files $folder -}}{{- end -}}{{- end -}}
{{- toYaml $files -}}
{{- end -}}

{{- define "weir.mounts" -}}
- {name: config, mountPath: /etc/weir/weir.yaml, subPath: weir.yaml, readOnly: true}
- {name: state, mountPath: /var/lib/weir}
- {name: tmp, mountPath: /tmp}
{{- if .root.Values.hadoopConfigMap }}
- {name: hadoop, mountPath: /etc/hadoop, readOnly: true}
{{- end }}
{{- range $folder, $secret := include "weir.files" . | fromYaml }}
- {name: {{ $folder }}, mountPath: /etc/weir/{{ $folder }}, readOnly: true}
{{- end }}
{{- end -}}

{{- /* "state" may be claimed by the gateway. */ -}}
{{- define "weir.volumes" -}}
- name: config
  configMap: {name: {{ include "weir.name" .root }}}
- name: tmp
  emptyDir: {}
{{- if not (and (eq .role "gateway") .root.Values.gateway.persistence.enabled) }}
- name: state
  emptyDir: {}
{{- end }}
{{- with .root.Values.hadoopConfigMap }}
- name: hadoop
  configMap: {name: {{ . | quote }}}
{{- end }}
{{- range $folder, $secret := include "weir.files" . | fromYaml }}
- name: {{ $folder }}
  secret: {secretName: {{ $secret | quote }}, defaultMode: 0400}
{{- end }}
{{- end -}}

{{- /* A pod's metadata and spec, but for what the gateway's container has more: its ports and probes. */ -}}
{{- define "weir.pod" -}}
{{- $own := index .root.Values .role -}}
metadata:
  labels:
    {{- include "weir.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .role }}
  annotations:
    # New settings are taken up by a restart.
    checksum/config: {{ .root.Values.config | toYaml | sha256sum }}
    {{- with $own.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "weir.account" .root }}
  automountServiceAccountToken: false
  # Kubernetes would set WEIR_… variables for services of such names.
  enableServiceLinks: false
  {{- with .root.Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  # SIGTERM commits what is open and leaves the groups, within 5 s.
  terminationGracePeriodSeconds: {{ eq .role "gateway" | ternary 30 15 }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile: {type: RuntimeDefault}
  containers:
    - name: weir
      image: {{ printf "%s:%s" .root.Values.image.repository (.root.Values.image.tag | default .root.Chart.AppVersion) | quote }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      command: [weir, {{ get (dict "scorer" "score" "trainer" "train" "gateway" "serve" "watcher" "watch") .role }}]
      args: [--config, /etc/weir/weir.yaml]
      env:
        {{- include "weir.env" . | trim | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      volumeMounts:
        {{- include "weir.mounts" . | nindent 8 }}
      {{- with $own.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- if eq .role "gateway" }}
      {{- include "weir.gatewayProbes" .root | nindent 6 }}
      {{- end }}
  volumes:
    {{- include "weir.volumes" . | nindent 4 }}
  {{- with $own.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.topologySpreadConstraints }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

{{- /* Scorers, trainers and the watcher have none: they have no port, and end themselves (with 70) where a call to a server does
     not come back. */ -}}
{{- define "weir.gatewayProbes" -}}
{{- $scheme := .Values.secrets.gatewayTls.name | empty | ternary "http" "https" -}}
ports:
  - {name: http, containerPort: {{ .Values.gateway.port }}}
  {{- if .Values.gateway.grpcPort }}
  - {name: grpc, containerPort: {{ .Values.gateway.grpcPort }}}
  {{- end }}
startupProbe:
  httpGet: {path: /livez, port: http, scheme: {{ upper $scheme }}}
  periodSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /livez, port: http, scheme: {{ upper $scheme }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  # /readyz wants a token, which httpGet could only have in plain sight; here it is on no command line either.
  exec:
    command:
      - /bin/sh
      - -c
      - >-
        printf 'header = "Authorization: Bearer %s"\n' "$READ_TOKEN" |
        curl --silent --show-error --fail --insecure --max-time 4 --config - --output /dev/null
        {{ $scheme }}://127.0.0.1:{{ .Values.gateway.port }}/readyz
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
lifecycle:
  # First it leaves the Service, then it ends.
  preStop: {exec: {command: [/bin/sh, -c, "sleep 5"]}}
{{- end -}}
