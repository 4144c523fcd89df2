import { createServer } from 'node:http'
import { pipeline } from 'node:stream'
import { Pool } from 'undici'

/** What any Node proxy costs at least: node:http in, an undici pool out, nothing looked at. */
const pool = new Pool(`http://127.0.0.1:${process.argv[3] ?? ''}`, { connections: 256, pipelining: 1 })

const server = createServer((request, response) => {
  pool
    .request({
      path: request.url ?? '/',
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': request.headers['content-length'] ?? '0',
      },
      body: request,
    })
    .then(({ statusCode, headers, body }) => {
      response.writeHead(statusCode, { 'content-type': String(headers['content-type'] ?? '') })
      pipeline(body, response, () => undefined)
    })
    .catch(() => response.destroy())
})
server.keepAliveTimeout = 60_000
server.listen(Number(process.argv[2]), '127.0.0.1')
