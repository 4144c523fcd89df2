/** Keeps a pod: the specs run the other scripts in it. */
setInterval(() => undefined, 1 << 30)
process.once('SIGTERM', () => process.exit(0))
