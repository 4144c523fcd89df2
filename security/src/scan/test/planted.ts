import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Where .ci/run and a developer may have built scanners, beside the PATH. Call it before a program is looked for. */
export const findBuiltScanners = (): void => {
  process.env['PATH'] = [
    process.env['PATH'],
    join(homedir(), 'go/bin'),
    join(homedir(), '.cache/postern-scan/bin'),
  ].join(delimiter)
}

/** A lock file in a folder of its own below `folder`, with one planted package: 1.0.0 has a weakness, 1.0.1 has none. */
export const lockWith = (folder: string, version: string): string => {
  const place = mkdtempSync(join(folder, 'lock-'))
  const packages = {
    '': { name: 'shop', version: '1.0.0', dependencies: { leftish: version } },
    'node_modules/leftish': { version, license: 'MIT' },
  }
  const file = join(place, 'package-lock.json')
  writeFileSync(file, JSON.stringify({ name: 'shop', version: '1.0.0', lockfileVersion: 3, packages }))
  return file
}

/** One layer with that package installed, as npm leaves it. */
const layer = (folder: string): { readonly image: string; readonly digest: string } => {
  const image = mkdtempSync(join(folder, 'image-'))
  const modules = join(image, 'root/app/node_modules')
  mkdirSync(join(modules, 'leftish'), { recursive: true })
  cpSync(lockWith(folder, '1.0.0'), join(modules, '.package-lock.json'))
  const manifest = { name: 'leftish', version: '1.0.0', license: 'MIT' }
  writeFileSync(join(modules, 'leftish/package.json'), JSON.stringify(manifest))
  execFileSync('tar', ['-C', join(image, 'root'), '-cf', join(image, 'layer.tar'), '.'])
  return { image, digest: sha256(readFileSync(join(image, 'layer.tar'))) }
}

const configOf = (digest: string): string =>
  JSON.stringify({
    ...{ architecture: 'amd64', os: 'linux', config: {} },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    history: [{ created_by: 'test' }],
  })

/** What `docker save` writes. */
export const dockerArchive = (folder: string): string => {
  const { image, digest } = layer(folder)
  writeFileSync(join(image, 'config.json'), configOf(digest))
  const manifest = [{ Config: 'config.json', RepoTags: ['shop:1'], Layers: ['layer.tar'] }]
  writeFileSync(join(image, 'manifest.json'), JSON.stringify(manifest))
  const archive = `${image}.tar`
  execFileSync('tar', ['-C', image, '-cf', archive, 'config.json', 'manifest.json', 'layer.tar'])
  return archive
}

/** An OCI image layout 1.1.0: a folder. */
export const ociLayout = (folder: string): string => {
  const { image, digest } = layer(folder)
  const layout = `${image}-oci`
  const put = (bytes: Buffer | string): { readonly digest: string; readonly size: number } => {
    const name = sha256(bytes)
    mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
    writeFileSync(join(layout, 'blobs/sha256', name), bytes)
    return { digest: `sha256:${name}`, size: Buffer.byteLength(bytes) }
  }
  const type = (name: string): string => `application/vnd.oci.image.${name}`
  const manifest = {
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config: { mediaType: type('config.v1+json'), ...put(configOf(digest)) },
    layers: [{ mediaType: type('layer.v1.tar'), ...put(readFileSync(join(image, 'layer.tar'))) }],
  }
  const manifests = [{ mediaType: type('manifest.v1+json'), ...put(JSON.stringify(manifest)) }]
  writeFileSync(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
  return layout
}

/** A folder with that package installed and nothing else. */
export const installedTree = (folder: string): string => join(layer(folder).image, 'root/app')

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')
