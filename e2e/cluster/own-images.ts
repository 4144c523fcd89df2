import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join, relative } from 'node:path'
import { bin } from './folders.ts'
import { addProgram, archive, baseFiles, withFolder, type Image } from './image.ts'
import { capture } from './kubectl.ts'

const REPOSITORY = join(import.meta.dirname, '../..')
const USER = '65532:65532'

/** Names of the images of this repository in the test cluster. */
export const IMAGES = {
  postern: 'postern.local/postern:e2e',
  /** The same bytes under another name: what an upgrade changes to. */
  next: 'postern.local/postern:e2e-next',
  /** Node, the clients' SDKs, a model server and scripts. */
  tools: 'postern.local/tools:e2e',
  coredns: 'postern.local/coredns:e2e',
  pause: 'postern.local/pause:e2e',
} as const

/** Archives of everything that the specs run. */
export const buildImages = async (say: (line: string) => void): Promise<readonly string[]> => {
  say('compiling the guard')
  await capture([process.execPath, 'proxy/build.mjs'], {
    cwd: REPOSITORY,
    env: {
      ...process.env,
      PATH: `${join(REPOSITORY, 'node_modules/.bin')}${delimiter}${process.env.PATH ?? ''}`,
    },
  })
  say('making the images')
  return packImages()
}

/** The same from what proxy/dist holds. */
export const packImages = (): Promise<readonly string[]> =>
  withFolder((base) =>
    withFolder((guard) =>
      withFolder(async (tools) => {
        baseFiles(base)
        chmodSync(join(base, 'tmp'), 0o1777)
        await addProgram(base, join(REPOSITORY, 'node_modules/node/bin/node'), 'nodejs/bin/node')
        await guardFiles(guard)
        toolFiles(tools)
        return Promise.all([
          archive({
            names: [IMAGES.postern, IMAGES.next],
            layers: [base, guard],
            config: {
              Entrypoint: entrypoint(),
              Cmd: ['serve', '/etc/postern/postern.yaml'],
              User: USER,
              WorkingDir: '/postern',
            },
          }),
          archive({
            names: [IMAGES.tools],
            layers: [base, tools],
            config: {
              Entrypoint: ['/nodejs/bin/node'],
              User: USER,
              WorkingDir: '/src/e2e/tools',
              Env: ['PATH=/nodejs/bin'],
            },
          }),
        ])
      }),
    ),
  )

/** The two images that the node itself needs. */
export const buildNodeImages = (): Promise<readonly string[]> =>
  Promise.all(
    (['coredns', 'pause'] as const).map((program) =>
      withFolder(async (root) => {
        baseFiles(root)
        await addProgram(root, join(bin, program), program)
        const image: Image = {
          names: [IMAGES[program]],
          layers: [root],
          config: { Entrypoint: [`/${program}`], User: USER },
        }
        return archive(image)
      }),
    ),
  )

const DEMO = ['serve-model.ts', 'model.ts', 'model-openai.ts', 'model-anthropic.ts', 'script.ts']
const dockerfile = readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8')
/** What verifies a model, as the Dockerfile names it. */
const VERIFIER = dockerfile.match(/security\/src\/model\/[a-z-]+\.ts/g) ?? []

/** As the Dockerfile lays them out. */
const guardFiles = async (root: string): Promise<void> => {
  const home = join(root, 'postern')
  const copy = (path: string): void =>
    cpSync(join(REPOSITORY, path), join(home, path), { recursive: true, dereference: true })
  mkdirSync(home)
  copy('proxy/dist')
  copy('proxy/package.json')
  for (const name of readdirSync(join(REPOSITORY, 'policies')))
    if (name !== 'node_modules') copy(`policies/${name}`)
  for (const name of DEMO) copy(`proxy/demo/${name}`)
  copy('security/package.json')
  for (const path of VERIFIER) copy(path)
  for (const workspace of ['@postern/proxy', '@postern/security'])
    for (const path of await packagesOf(workspace)) copy(path)
  const opa = [...(process.env.PATH ?? '').split(delimiter), join(homedir(), 'go/bin')]
    .map((folder) => join(folder, 'opa'))
    .find((file) => existsSync(file))
  if (opa) await addProgram(root, opa, 'usr/bin/opa')
}

const entrypoint = (): readonly string[] =>
  JSON.parse(/^ENTRYPOINT (.*)$/m.exec(dockerfile)?.[1] ?? '[]') as string[]

const toolFiles = (root: string): void => {
  for (const path of ['e2e/tools', 'proxy/demo', 'node_modules/openai'])
    cpSync(join(REPOSITORY, path), join(root, 'src', path), { recursive: true })
}

/** Folders of the packages that a workspace needs in production. */
const packagesOf = async (workspace: string): Promise<readonly string[]> => {
  const listed = await capture(['npm', 'ls', '-w', workspace, '--omit=dev', '--all', '--parseable'], {
    cwd: REPOSITORY,
  })
  return listed
    .split('\n')
    .map((path) => relative(REPOSITORY, path))
    .filter((path) => /(^|\/)node_modules\/(?!@postern\/)/.test(path))
}
