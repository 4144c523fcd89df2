#!/usr/bin/env node
// In a checkout the sources run as they are (Node 24 strips the types), so that nothing stale does; an image has only the compiled guard.
import { existsSync } from 'node:fs'

const major = Number(process.versions.node.split('.')[0])
if (major < 24) {
  process.stderr.write(
    `postern: needs Node 24 or newer; this is ${process.version}. node_modules/.bin has one: put that folder first on PATH.\n`,
  )
  process.exit(3)
}
const source = new URL('../src/cli.ts', import.meta.url)
await import(existsSync(source) ? source.href : new URL('../dist/cli.js', import.meta.url).href)
