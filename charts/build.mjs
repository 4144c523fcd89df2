// node charts/build.mjs [--check]: everything in charts/ that is generated. charts/README.md explains it.
import { main } from './build/main.ts'

process.exitCode = main(process.argv.slice(2))
