import { connect } from 'node:tls'
import { trustAuthorities } from './trust.ts'

/** `certificate.ts HOST PORT`: the fingerprint of the certificate that is served there and trusted here. */
trustAuthorities()
const [, , host = '', port] = process.argv
const socket = connect({ host, port: Number(port), servername: host, timeout: 5000 }, () => {
  process.stdout.write(`${socket.getPeerCertificate().fingerprint256}\n`)
  socket.destroy()
})
