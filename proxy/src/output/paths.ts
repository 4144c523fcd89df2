/** The longest that Linux opens, each character escaped. */
const LONGEST = 3 * 4096

/** Files that hold credentials or tell an intruder where he is; compared in lower case with `/` for `\`. */
const TREASURES = [
  '/etc/passwd',
  '/etc/shadow',
  '/etc/sudoers',
  '/etc/kubernetes/',
  '/proc/self/',
  '/proc/1/',
  '/var/run/secrets/',
  '/run/secrets/',
  '/var/run/docker.sock',
  '/run/docker.sock',
  '/.ssh/',
  '/.aws/credentials',
  '/.kube/config',
  '/.docker/config.json',
  '/.git-credentials',
  '/.netrc',
  '/.pgpass',
  '/.config/gcloud/',
  '/id_rsa',
  '/id_ed25519',
  'windows/system32/config/',
  'windows/win.ini',
]

/**
 * How surely an argument is a path that leads out of the folder it is meant for, or to a file that nobody should ask for;
 * 0 when it is none. A whole sentence that names such a file is a question about it.
 */
export const escapeOf = (argument: string): number => {
  const path = plainPath(argument.length > LONGEST ? argument.slice(0, LONGEST) : argument)
  const named = TREASURES.some((name) => `/${path}`.includes(name))
  if (/\s/.test(path.trim())) return named ? 0.6 : 0
  if (named) return 1
  return climbs(path.trim()) ? 0.9 : 0
}

/** As file systems and servers read it: decoded twice, no null bytes, one kind of separator, no parameters of segments. */
const plainPath = (argument: string): string => {
  let path = argument.toLowerCase()
  for (let round = 0; round < 3; round++) {
    path = path
      .replaceAll(/%c0%([0-9a-f]{2})|%e0%80%([0-9a-f]{2})/g, (_, two?: string, three?: string) =>
        String.fromCharCode(Number.parseInt(two ?? three ?? '', 16) & 0x7f),
      )
      .replaceAll(/%u([0-9a-f]{4})|%([0-9a-f]{2})/g, (_, wide?: string, narrow?: string) =>
        String.fromCharCode(Number.parseInt(wide ?? narrow ?? '', 16)),
      )
  }
  return path
    .normalize('NFKC')
    .replaceAll(/[\\\u2215\u2044]/g, '/')
    .replaceAll('\0', '')
    .replaceAll(/\/{2,}/g, '/')
    .replaceAll('/./', '/')
}

const climbs = (path: string): boolean => {
  if (!path.includes('..')) return false
  let depth = 0
  const absolute = path.startsWith('/') || /^[a-z]:\//.test(path) || path.startsWith('file:')
  for (const segment of path.split('/')) {
    const [name] = segment.split(';', 1)
    if (name === '..') {
      if (absolute || --depth < 0) return true
    } else if (name !== '' && name !== '.') depth++
  }
  return /(?:^|\/)\.{2,}\/{1,2}\.{2,}/.test(path)
}
