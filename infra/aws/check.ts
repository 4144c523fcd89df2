import type { Check } from '../check.ts'
import type { AwsEnvironment } from '../environment.ts'

/** Machines with NVIDIA GPUs. */
const GPU_MACHINE = /^(g[4-9]\w*|p[2-9]\w*|gr6\w*)\./

export const awsChecks = (environment: AwsEnvironment): readonly Check[] => {
  const { accountId, region, name, zones, administrators, nodePools, platform, state } = environment
  const images = `${accountId}.dkr.ecr.${region}.amazonaws.com/${name}`
  return [
    [/^\d{12}$/.test(accountId), 'accountId: write the 12 digits of the account.'],
    [/^[a-z]{2}(-[a-z]+)+-\d$/.test(region), 'region: write it as AWS does, such as eu-central-1.'],
    [
      zones.every((zone) => zone.startsWith(region) && /^[a-z]$/.test(zone.slice(region.length))),
      `zones: write zones of ${region}, such as ${region}a.`,
    ],
    [new Set(zones).size === zones.length, 'zones: write three that differ.'],
    [
      environment.auditReplicaRegion === undefined ||
        (/^[a-z]{2}(-[a-z]+)+-\d$/.test(environment.auditReplicaRegion) &&
          environment.auditReplicaRegion !== region),
      'auditReplicaRegion: write another region, such as eu-west-1, or take it away.',
    ],
    [administrators.length > 0, 'administrators: name a role, or nobody administers the cluster.'],
    ...administrators.map((arn): Check => [
      new RegExp(`^arn:aws[a-z-]*:iam::${accountId}:role/[\\w+=,.@/-]+$`).test(arn),
      `administrators: ${arn} is no role of the account ${accountId}; people and the root user take a role.`,
    ]),
    [
      platform.images === images,
      `platform.images: write ${images}, where the cluster's stack makes the repositories.`,
    ],
    [
      new RegExp(`^arn:aws[a-z-]*:kms:${region}:${accountId}:key/[0-9a-f-]{36}$`).test(state.kmsKeyArn),
      `state.kmsKeyArn: write the ARN of a key of this account in ${region}, not of an alias.`,
    ],
    ...nodePools.map(({ name: pool, machine, gpu }): Check => [
      GPU_MACHINE.test(machine) === (gpu !== undefined),
      gpu === undefined
        ? `nodePools ${pool}: ${machine} has GPUs; add gpu, or everything is scheduled there.`
        : `nodePools ${pool}: ${machine} has no NVIDIA GPU; write one such as g6.2xlarge, or take gpu away.`,
    ]),
  ]
}
