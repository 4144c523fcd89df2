import { isPrivate } from '../aspects/addresses.ts'
import type { Check } from '../check.ts'
import type { GoogleEnvironment } from '../environment.ts'

/** Machines that have their GPUs built in; N1 takes others. */
const GPU_MACHINE = /^(g2|g4|a2|a3|a4|a4x)-/

export const googleChecks = (environment: GoogleEnvironment): readonly Check[] => {
  const { project, projectNumber, region, name, zones, controlPlaneCidr, network, platform } = environment
  const images = `${region}-docker.pkg.dev/${project}/${name}`
  return [
    [/^[a-z][a-z0-9-]{4,28}[a-z0-9]$/.test(project), 'project: write the id of the project, not its name.'],
    [
      /^\d{6,}$/.test(projectNumber),
      "projectNumber: write the digits that `gcloud projects describe PROJECT --format='value(projectNumber)'` says.",
    ],
    [/^[a-z]+-[a-z]+\d+$/.test(region), 'region: write it as Google Cloud does, such as europe-west4.'],
    [
      zones.every((zone) => zone.startsWith(`${region}-`) && /^[a-z]$/.test(zone.slice(region.length + 1))),
      `zones: write zones of ${region}, such as ${region}-a.`,
    ],
    [new Set(zones).size === zones.length, 'zones: write three that differ.'],
    [
      isPrivate(controlPlaneCidr) &&
        /\/28$/.test(controlPlaneCidr) &&
        !within(controlPlaneCidr, network.cidr),
      'controlPlaneCidr: write a private /28 outside network.cidr and 100.64.0.0/10.',
    ],
    [
      platform.images === images,
      `platform.images: write ${images}, where the cluster's stack makes the repository.`,
    ],
    [
      environment.state.kmsKey.startsWith(`projects/`) &&
        /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/.test(
          environment.state.kmsKey,
        ),
      'state.kmsKey: write projects/PROJECT/locations/REGION/keyRings/RING/cryptoKeys/KEY.',
    ],
    ...environment.nodePools.map(({ name: pool, machine, gpu }): Check => [
      gpu === undefined ? !GPU_MACHINE.test(machine) : GPU_MACHINE.test(machine) || machine.startsWith('n1-'),
      gpu === undefined
        ? `nodePools ${pool}: ${machine} has GPUs; add gpu, or everything is scheduled there.`
        : `nodePools ${pool}: ${machine} takes no GPU; write one such as g2-standard-8, or take gpu away.`,
    ]),
  ]
}

/** Whether a /28 is in the /16 of the network or in the range of pods and Services. */
const within = (cidr: string, network: string): boolean =>
  cidr.split('.', 2).join('.') === network.split('.', 2).join('.') || cidr.startsWith('100.')
