/** What `postern inject` uses without --profile-dir: the chart's default profile of a release `postern`, for a look at what the webhook adds. */
export const defaultProfile = `admin:
  host: 0.0.0.0
identity:
  serviceAccounts:
    audiences: [postern]
    server: https://postern-controller.postern.svc
    caFile: /etc/postern/trust/ca.crt
    tokenFile: /var/run/postern/token
    grants: [{ match: '{tenant}/*', roles: [service] }]
upstreams:
  - name: model
    url: http://127.0.0.1:8000
models:
  - name: '*'
    targets: [{ upstream: model }]
routes:
  - { name: model.metrics, path: /metrics, method: GET, inspect: false, upstream: model }
  - { name: simple.llm, enabled: false }
  - { name: simple.chat, enabled: false }
audit:
  stdout: true
workload:
  source: controller
  url: https://postern-controller.postern.svc
  caFile: /etc/postern/trust/ca.crt
  tokenFile: /var/run/postern/token
  directory: /run/postern/identity
policy:
  remote:
    url: https://postern-controller.postern.svc/v1/bundles/postern.tar.gz
    caFile: /etc/postern/trust/ca.crt
    tokenFile: /var/run/postern/token
    publicKeyFile: /etc/postern/trust/bundle.pub
    file: /run/postern/bundle.tar.gz
`
