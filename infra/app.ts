import { App, type TerraformStack } from 'cdktf'
import { encrypted } from './aspects/encryption.ts'
import { plain } from './aspects/plain.ts'
import { noCredentials } from './aspects/providers.ts'
import { noPublicEndpoints } from './aspects/public-endpoints.ts'
import { reviewedOnly } from './aspects/reviewed.ts'
import { requireTags, tagged } from './aspects/tags.ts'
import { addAspects } from './aspects/visit.ts'
import { AwsClusterStack } from './aws/cluster-stack.ts'
import { AzureClusterStack } from './azure/cluster-stack.ts'
import { checked, onePerCloud } from './check.ts'
import type { Environment } from './environment.ts'
import { GoogleClusterStack } from './google/cluster-stack.ts'
import { PlatformStack } from './platform/stack.ts'

/**
 * Two stacks for each environment, `<cloud>-cluster` and `<cloud>-platform`, in this order, each looked at by the aspects. Nothing is written
 * before `synth()`, which throws when one of them finds something. Throws RangeError for an environment with mistakes.
 */
export const infrastructure = (environments: readonly Environment[], outdir: string): App => {
  // cdktf would write what the aspects refuse.
  delete process.env.CDKTF_CONTINUE_SYNTH_ON_ERROR_ANNOTATIONS
  // And would write HCL, which no policy reads.
  delete process.env.SYNTH_HCL_OUTPUT
  onePerCloud(environments)
  const app = new App({ outdir, skipValidation: false })
  for (const environment of environments.map(checked))
    for (const stack of [
      clusterStack(app, environment),
      new PlatformStack(app, `${environment.cloud}-platform`, environment),
    ])
      // cdktf asks a stack's own aspects, and not those of the app.
      addAspects(stack, [tagged(environment.tags), ...checks])
  return app
}

/** What every stack is looked at for. */
export const checks = [plain, noCredentials, reviewedOnly, requireTags, encrypted, noPublicEndpoints]

const clusterStack = (app: App, environment: Environment): TerraformStack => {
  switch (environment.cloud) {
    case 'aws':
      return new AwsClusterStack(app, 'aws-cluster', environment)
    case 'google':
      return new GoogleClusterStack(app, 'google-cluster', environment)
    case 'azure':
      return new AzureClusterStack(app, 'azure-cluster', environment)
  }
}
