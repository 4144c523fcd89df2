#!/usr/bin/env node
// In a checkout the sources run as they are (Node 24 strips the types), so that nothing stale does; an image has only the compiled guard.
import { existsSync } from 'node:fs'

const source = new URL('../src/cli.ts', import.meta.url)
await import(existsSync(source) ? source.href : new URL('../dist/cli.js', import.meta.url).href)
