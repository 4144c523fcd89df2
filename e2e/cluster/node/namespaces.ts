import {
  existsSync,
  lstatSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  statfsSync,
} from 'node:fs'
import { join } from 'node:path'
import { bin } from '../folders.ts'
import { capture } from '../kubectl.ts'
import { eventually, start } from '../processes.ts'
import { CGROUP, HOST_IP } from './configuration.ts'

/** Mount, network, process, host name and IPC namespaces of their own. */
export interface Namespaces {
  /** The command line that runs `command` inside. */
  readonly enter: (command: readonly string[]) => readonly string[]
  /** The kernel ends every process, mount, interface and firewall rule in them. */
  readonly end: () => Promise<void>
}

const LINK = 'postern-e2e'

/** Held by one process, `pause`: when it ends, or this process does, everything inside is gone. */
export const makeNamespaces = async (log: string): Promise<Namespaces> => {
  const holder = start(
    [
      ...['unshare', '--mount', '--net', '--pid', '--uts', '--ipc', '--fork', '--kill-child'],
      ...['--mount-proc', '--propagation', 'private', join(bin, 'pause')],
    ],
    { log, life: 'owner' },
  )
  const first = await eventually(() => firstProcess(holder.pid ?? 0), 10)
  await capture(['ip', 'link', 'add', LINK, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', first])
  await capture(['ip', 'address', 'add', `${HOST_IP}/30`, 'dev', LINK])
  await capture(['ip', 'link', 'set', LINK, 'up'])
  return {
    enter: (command) => [
      ...['nsenter', '--target', first, '--mount', '--net', '--pid', '--uts', '--ipc', '--'],
      ...command,
    ],
    end: async () => {
      // unshare ignores SIGTERM; killing it kills what it holds.
      holder.kill('SIGKILL')
      await eventually(() => gone(first), 20)
      await capture(['ip', 'link', 'delete', LINK]).catch(() => undefined)
      for (const root of cgroupRoots()) removeGroups(join(root, CGROUP))
    },
  }
}

const firstProcess = (holder: number): Promise<string> => {
  const first = readFileSync(`/proc/${holder}/task/${holder}/children`, 'utf8').trim()
  const network = (process: string): string => readlinkSync(`/proc/${process}/ns/net`)
  if (!first || network(first) === network('self'))
    throw new Error('the namespaces of the node were not made')
  return Promise.resolve(first)
}

const gone = (process: string): Promise<void> =>
  existsSync(`/proc/${process}`) ? Promise.reject(new Error('the node does not end')) : Promise.resolve()

const CGROUP2 = 0x63677270

/** One folder with cgroup v2, one for each controller with v1. */
export const cgroupRoots = (): readonly string[] =>
  statfsSync('/sys/fs/cgroup').type === CGROUP2
    ? ['/sys/fs/cgroup']
    : readdirSync('/sys/fs/cgroup')
        .map((name) => join('/sys/fs/cgroup', name))
        .filter((path) => !lstatSync(path).isSymbolicLink() && lstatSync(path).isDirectory())

/** Empty groups stay after their processes; the files in them go with the folder. */
const removeGroups = (group: string): void => {
  if (!existsSync(group)) return
  for (const entry of readdirSync(group, { withFileTypes: true }))
    if (entry.isDirectory()) removeGroups(join(group, entry.name))
  try {
    rmdirSync(group)
  } catch {
    // A process that is still ending keeps its group: an empty folder, which the next cluster uses again.
  }
}
