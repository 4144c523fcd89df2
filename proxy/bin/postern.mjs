#!/usr/bin/env node
// The compiled guard when there is one (images, packages), else the sources: Node 24 runs them as they are.
import { existsSync } from 'node:fs'

const compiled = new URL('../dist/cli.js', import.meta.url)
await import(existsSync(compiled) ? compiled.href : new URL('../src/cli.ts', import.meta.url).href)
