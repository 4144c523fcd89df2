import type { MountedCertificate } from '../controller/controller.ts'
import type { Log } from '../core/log.ts'
import type { Meter } from '../core/metrics.ts'
import { readTls, watchTls } from '../server/tls-files.ts'

/** Certificate, key and CA in files. Throws Error that names the file; later a bad change is told and the old stays. */
export const mountedCertificate = async (
  files: { readonly cert: string; readonly key: string; readonly ca: string },
  { log, meter }: { readonly log: Log; readonly meter: Meter },
): Promise<MountedCertificate> => {
  const paths = {
    certFile: files.cert,
    keyFile: files.key,
    clientCaFile: files.ca,
    clientAuth: 'off' as const,
  }
  let material = await readTls(paths)
  const listeners = new Set<() => void>()
  const watch = watchTls({
    files: paths,
    apply: (next) => {
      material = next
      for (const listener of listeners) listener()
    },
    ...{ log, meter },
  })
  return {
    current: () => ({ cert: material.cert, key: material.key }),
    authorities: () => material.clientCa ?? '',
    onChange: (listener) => {
      listeners.add(listener)
    },
    close: () => watch.close(),
  }
}
