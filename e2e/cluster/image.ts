import { createHash } from 'node:crypto'
import {
  copyFileSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { images } from './folders.ts'
import { capture } from './kubectl.ts'

export interface Image {
  /** With tags that are not `latest`: nothing can be pulled, so nothing may be asked to. */
  readonly names: readonly [string, ...string[]]
  /** Folders, lowest first; each is one layer. */
  readonly layers: readonly string[]
  /** The `config` of an OCI image configuration. */
  readonly config: {
    readonly Entrypoint: readonly string[]
    readonly Cmd?: readonly string[]
    readonly Env?: readonly string[]
    readonly User: string
    readonly WorkingDir?: string
  }
}

const ARCH = process.arch === 'arm64' ? 'arm64' : 'amd64'
const TAR = ['tar', '--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--format=gnu']

/** Makes an OCI archive, byte for byte the same for the same input. Gives its path. */
export const archive = async ({ names, layers, config }: Image): Promise<string> => {
  mkdirSync(images, { recursive: true })
  const work = mkdtempSync(join(images, '.work-'))
  const blobs = join(work, 'blobs', 'sha256')
  mkdirSync(blobs, { recursive: true })
  const blob = async (file: string, mediaType: string) => {
    const digest = await sha256(file)
    const size = statSync(file).size
    renameSync(file, join(blobs, digest))
    return { mediaType, digest: `sha256:${digest}`, size }
  }
  const json = (value: unknown, mediaType: string) => {
    const file = join(work, 'json')
    writeFileSync(file, JSON.stringify(value))
    return blob(file, mediaType)
  }
  const packed = await Promise.all(
    layers.map(async (folder, index) => {
      const file = join(work, `layer-${index}`)
      await capture([...TAR, '-C', folder, '-cf', file, '.'])
      return blob(file, 'application/vnd.oci.image.layer.v1.tar')
    }),
  )
  const rootfs = { type: 'layers', diff_ids: packed.map((layer) => layer.digest) }
  const configuration = await json(
    { architecture: ARCH, os: 'linux', config, rootfs },
    'application/vnd.oci.image.config.v1+json',
  )
  const type = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = await json(
    { schemaVersion: 2, mediaType: type, config: configuration, layers: packed },
    type,
  )
  const manifests = names.map((name) => ({
    ...manifest,
    annotations: { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name },
  }))
  writeFileSync(join(work, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
  writeFileSync(join(work, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const file = join(images, `${names[0].replace(/[^\w.-]/g, '_')}.tar`)
  await capture([...TAR, '-C', work, '-cf', `${file}.new`, 'oci-layout', 'index.json', 'blobs'])
  renameSync(`${file}.new`, file)
  rmSync(work, { recursive: true })
  return file
}

const sha256 = async (file: string): Promise<string> => {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** A folder for a layer, removed when `use` is through. */
export const withFolder = async <T>(use: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-image-'))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What every image here has: users, a place for temporary files, certificates of the world when the machine has them. */
export const baseFiles = (root: string): void => {
  for (const folder of ['etc/ssl/certs', 'tmp', 'home/nonroot'])
    mkdirSync(join(root, folder), { recursive: true })
  const line = (name: string, id: number, home: string): string =>
    `${name}:x:${id}:${id}:${name}:${home}:/sbin/nologin\n`
  writeFileSync(join(root, 'etc/passwd'), line('root', 0, '/root') + line('nonroot', 65532, '/home/nonroot'))
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnonroot:x:65532:\n')
  const bundle = '/etc/ssl/certs/ca-certificates.crt'
  if (existsSync(bundle)) copyFileSync(bundle, join(root, bundle))
}

/** Copies a program to `place` with every library that it loads, at the places where it looks for them. */
export const addProgram = async (root: string, program: string, place: string): Promise<void> => {
  const target = join(root, place)
  mkdirSync(dirname(target), { recursive: true })
  copyFileSync(program, target)
  const listed = await capture(['ldd', program]).catch(() => '')
  const libraries = listed.match(/\/[^ )\n]+(?= )/g) ?? []
  for (const library of [...libraries, ...resolvers(libraries)]) {
    mkdirSync(join(root, dirname(library)), { recursive: true })
    copyFileSync(library, join(root, library))
  }
}

/** glibc loads these by name when a host name is looked up; ldd does not list them. */
const resolvers = (libraries: readonly string[]): readonly string[] => {
  const libc = libraries.find((library) => basename(library) === 'libc.so.6')
  if (!libc) return []
  const folder = dirname(libc)
  return readdirSync(folder)
    .filter((name) => /^lib(nss_(dns|files)|resolv)\.so\.2$/.test(name))
    .map((name) => join(folder, name))
}
