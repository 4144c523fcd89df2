import { connect } from 'node:tls'
import { trustAuthorities } from './trust.ts'

/** `certificate.ts HOST PORT`: the fingerprint of the certificate that is served there and trusted here, and the name of who signed it. */
trustAuthorities()
const [, , host = '', port] = process.argv
const socket = connect({ host, port: Number(port), servername: host, timeout: 5000 }, () => {
  const { fingerprint256, issuer } = socket.getPeerCertificate()
  process.stdout.write(`${fingerprint256} ${String(issuer.CN)}\n`)
  socket.destroy()
})
