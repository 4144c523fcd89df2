import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'yaml'
import { listed } from '../aspects/read.ts'
import { type Chart, charts } from '../charts.ts'
import { aws } from '../environments/aws.ts'
import { azure } from '../environments/azure.ts'
import { google } from '../environments/google.ts'
import type { Values } from '../environment.ts'
import { leaves } from '../platform/keys.ts'
import { all, synthesised } from './synth.ts'

/** Values of each chart on every cloud that installs it, as Helm gets them: Terraform has read its own escapes. */
export const chartValues = (): Readonly<Record<string, readonly Values[]>> => {
  const releases = Object.values(synthesised(aws, google, azure)).flatMap((stack) =>
    all(stack, 'helm_release'),
  )
  return Object.fromEntries(
    Object.keys(charts).map((name) => [
      name,
      releases
        .filter((release) => release.name === name)
        .map(
          (release) => parse(String(listed(release.values)[0]).replaceAll(/([$%])\1\{/g, '$1{')) as Values,
        ),
    ]),
  )
}

export const keysOf = (values: readonly Values[]): readonly string[] =>
  [...new Set(values.flatMap((one) => leaves(one).map((path) => path.join('.'))))].sort()

/** Where a chart of others lies, once `helm pull` has brought it. */
export const pulled = ({ chart, version }: Chart): string =>
  join(homedir(), `.cache/postern-charts/${chart}-${version}/${chart}`)
