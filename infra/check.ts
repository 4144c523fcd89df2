import type { Environment } from './environment.ts'

const PRIVATE = /^(10\.|172\.(1[6-9]|2\d|3[01])\.|192\.168\.)/

/**
 * What the types cannot say, found before Terraform finds it an hour later. Throws RangeError that names every mistake of the environment and what
 * to write instead.
 */
export const checked = <E extends Environment>(environment: E): E => {
  const problems = [
    ...(/^[a-z]([a-z0-9-]{0,18}[a-z0-9])?$/.test(environment.name)
      ? []
      : ['name: write 1 to 20 lower-case letters, digits and hyphens, a letter first.']),
    ...Object.entries<string>({ ...environment.tags })
      .filter(([, text]) => !/^[a-z0-9_-]{1,63}$/.test(text))
      .map(
        ([tag]) =>
          `tags.${tag}: write lower-case letters, digits, "-" and "_" only, as Google Cloud allows no others.`,
      ),
    ...(PRIVATE.test(environment.network.cidr) && /\.0\.0\/16$/.test(environment.network.cidr)
      ? []
      : ['network.cidr: write a private range that ends in .0.0/16.']),
    ...environment.nodePools.flatMap((pool) => [
      ...(/^[a-z][a-z0-9]{0,11}$/.test(pool.name)
        ? []
        : [`nodePools ${pool.name}: write 1 to 12 lower-case letters and digits.`]),
      ...(pool.min <= pool.max && pool.min >= 0 ? [] : [`nodePools ${pool.name}: min is above max.`]),
    ]),
    ...(environment.nodePools.some(({ gpu, min }) => gpu === undefined && min > 0)
      ? []
      : ['nodePools: one without GPUs needs min above 0, or nothing runs the platform.']),
    ...(environment.audit.retentionDays >= 183
      ? []
      : ['audit.retentionDays: write 183 at least, as the EU AI Act asks (articles 19 and 26).']),
    ...operators(environment),
  ]
  if (problems.length > 0)
    throw new RangeError(
      `The environment ${environment.name} (${environment.cloud}) has mistakes.\n${problems.join('\n')}`,
    )
  return environment
}

const operators = (environment: Environment): string[] =>
  environment.cloud === 'azure'
    ? []
    : environment.operators
        .filter((range) => !PRIVATE.test(range) && !/\/(3[0-2]|2[4-9])$/.test(range))
        .map((range) => `operators: ${range} is a large public range; name private ones, or /24 and smaller.`)
