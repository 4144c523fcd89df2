import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'

/** Folder of the node where Fluentd puts audit records for the shipper. */
export const ARCHIVE = '/var/log/fluentd/archive'

/** monitoring/fluentd-config.yaml is a ConfigMap; this is the text in it. */
const text = (): string => {
  const file = readFileSync(new URL('../../monitoring/fluentd-config.yaml', import.meta.url), 'utf8')
  const [first] = parseAllDocuments(file)
  const found: unknown = first?.getIn(['data', 'fluent.conf'])
  if (typeof found !== 'string')
    throw new TypeError('monitoring/fluentd-config.yaml has no data."fluent.conf" any more.')
  return found
}

/** For the probes: which plug-ins run, without their settings. */
const STATUS = `
<source>
  @type monitor_agent
  bind 0.0.0.0
  port 24231
  include_config false
  include_retry false
</source>
`

/** The included file of `fluentd-config.yaml`: audit records of each pod in a file, byte by byte, so that hash chains can be checked. No name comes twice. */
export const archiveOutput = `
<filter **>
  @type grep
  <regexp>
    key stream
    pattern /^audit$/
  </regexp>
</filter>
<match **>
  @type file
  @id out_archive
  path "#{ENV['STATE'] || '/var/log/fluentd'}/archive/\${namespace}/\${pod}/%Y-%m-%d/%H%M%S-\${chunk_id}"
  compress gzip
  append false
  <format>
    @type single_value
    message_key line
    add_newline true
  </format>
  <buffer time,namespace,pod>
    @type file
    path "#{ENV['STATE'] || '/var/log/fluentd'}/archive-buffer"
    timekey 5m
    timekey_wait 30s
    chunk_limit_size 64m
    total_limit_size 4g
    overflow_action block
    retry_forever true
    flush_at_shutdown true
  </buffer>
</match>
`

/** What Fluentd runs with: the configuration of monitoring/, and something for probes to ask. */
export const fluentdConfig = (): string => text() + STATUS
