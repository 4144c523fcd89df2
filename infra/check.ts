import { isPrivate, open } from './aspects/addresses.ts'
import { awsChecks } from './aws/check.ts'
import { azureChecks } from './azure/check.ts'
import type { Environment, NodePool } from './environment.ts'
import { googleChecks } from './google/check.ts'

/** What must hold, and what to write where it does not. */
export type Check = readonly [holds: boolean, remedy: string]

/** The oldest Kubernetes of charts/postern, and the newest that somebody has tried. */
const KUBERNETES = { oldest: 30, newest: 36 } as const

/**
 * What the types cannot say, found before Terraform finds it an hour later. Throws RangeError that names every mistake of the environment and what
 * to write instead.
 */
export const checked = <E extends Environment>(environment: E): E => {
  const problems = [...commonChecks(environment), ...cloudChecks(environment)]
    .filter(([holds]) => !holds)
    .map(([, remedy]) => remedy)
  if (problems.length > 0)
    throw new RangeError(
      `The environment ${environment.name} (${environment.cloud}) has mistakes.\n${problems.join('\n')}`,
    )
  return environment
}

/** Two of one cloud would be two stacks of one name. */
export const onePerCloud = (environments: readonly Environment[]): void => {
  const clouds = environments.map(({ cloud }) => cloud)
  const twice = clouds.find((cloud, index) => clouds.indexOf(cloud) !== index)
  if (twice !== undefined)
    throw new RangeError(
      `There are two environments of ${twice}: synthesise each by a call of infrastructure() with a folder of its own.`,
    )
}

const cloudChecks = (environment: Environment): readonly Check[] => {
  switch (environment.cloud) {
    case 'aws':
      return [...awsChecks(environment), ...operatorChecks(environment.operators)]
    case 'google':
      return [...googleChecks(environment), ...operatorChecks(environment.operators)]
    case 'azure':
      return azureChecks(environment)
  }
}

const commonChecks = (environment: Environment): readonly Check[] => [
  [
    /^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/.test(environment.name),
    'name: write 1 to 20 lower-case letters, digits and hyphens, a letter first.',
  ],
  ...Object.entries<string>({ ...environment.tags }).map(([tag, text]): Check => [
    /^[a-z0-9_-]{1,63}$/.test(text),
    `tags.${tag}: write lower-case letters, digits, "-" and "_" only, as Google Cloud allows no others.`,
  ]),
  [
    isPrivate(environment.network.cidr) && /\.0\.0\/16$/.test(environment.network.cidr),
    'network.cidr: write a private range that ends in .0.0/16.',
  ],
  [
    !environment.network.cidr.startsWith('100.'),
    'network.cidr: write a range of 10., 172.16. or 192.168.; pods and Services have those of 100.64.',
  ],
  ...kubernetesChecks(environment),
  ...poolsChecks(environment.nodePools),
  [
    whole(environment.audit.retentionDays) && environment.audit.retentionDays >= 183,
    'audit.retentionDays: write 183 at least, as the EU AI Act asks (articles 19 and 26).',
  ],
  [
    environment.audit.retentionDays <= 3650,
    'audit.retentionDays: write 3650 at most; a lock for longer cannot be taken back, and costs all the time.',
  ],
  [
    /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/.test(environment.dnsZone),
    'dnsZone: write a domain such as llm.example.internal, in lower case and without a dot at its end.',
  ],
  [
    whole(environment.platform.retentionDays) && environment.platform.retentionDays >= 1,
    'platform.retentionDays: write a whole number of days, 1 at least.',
  ],
  [
    environment.platform.guardDigest === undefined ||
      /^sha256:[0-9a-f]{64}$/.test(environment.platform.guardDigest),
    'platform.guardDigest: write sha256: and 64 hexadecimal digits, as the registry says them.',
  ],
]

const kubernetesChecks = ({ kubernetes: { version } }: Environment): readonly Check[] => {
  const minor = /^1\.(\d{2})$/.exec(version)?.[1]
  return [
    [
      minor !== undefined && Number(minor) >= KUBERNETES.oldest && Number(minor) <= KUBERNETES.newest,
      `kubernetes.version: write a minor version from 1.${KUBERNETES.oldest} to 1.${KUBERNETES.newest} that your cloud still supports, without a patch.`,
    ],
  ]
}

const poolsChecks = (pools: readonly NodePool[]): readonly Check[] => [
  ...pools.flatMap(poolChecks),
  [new Set(pools.map(({ name }) => name)).size === pools.length, 'nodePools: give each a name of its own.'],
  [
    pools.some(({ gpu, spot, min }) => gpu === undefined && spot !== true && min > 0),
    'nodePools: one without GPUs and spot needs min above 0, or nothing runs the platform.',
  ],
]

const poolChecks = ({ name, min, max, diskGb, gpu }: NodePool): readonly Check[] => [
  [/^[a-z][a-z0-9]{0,11}$/.test(name), `nodePools ${name}: write 1 to 12 lower-case letters and digits.`],
  [whole(min) && whole(max) && min >= 0, `nodePools ${name}: write whole numbers for min and max.`],
  [min <= max, `nodePools ${name}: min is above max.`],
  [max > 0, `nodePools ${name}: max is 0; take the pool away.`],
  [
    whole(diskGb) && diskGb >= 50,
    `nodePools ${name}: write 50 for diskGb at least; images and records on their way need the room.`,
  ],
  [
    gpu === undefined || (whole(gpu.count) && gpu.count >= 1),
    `nodePools ${name}: write 1 for gpu.count at least, or take gpu away.`,
  ],
]

const operatorChecks = (operators: readonly string[]): readonly Check[] => [
  [
    operators.length > 0,
    'operators: name the range of the runner that applies, or nobody reaches the API server.',
  ],
  ...operators.map((range): Check => [
    range.includes('/') && !open(range),
    `operators: ${range} is no range, or a large public one; name private ones, or /24 and smaller.`,
  ]),
]

const whole = (found: number): boolean => Number.isSafeInteger(found)
