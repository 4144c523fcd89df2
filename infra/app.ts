import { App } from 'cdktf'
import { AwsClusterStack } from './aws/cluster-stack.ts'
import { AzureClusterStack } from './azure/cluster-stack.ts'
import type { Environment } from './environment.ts'
import { GoogleClusterStack } from './google/cluster-stack.ts'
import { PlatformStack } from './platform/stack.ts'

/** Two stacks for each environment, `<cloud>-cluster` and `<cloud>-platform`, in this order. Nothing is written before `synth()`. */
export const infrastructure = (environments: readonly Environment[], outdir: string): App => {
  const app = new App({ outdir, skipValidation: false })
  for (const environment of environments) {
    clusterStack(app, environment)
    new PlatformStack(app, `${environment.cloud}-platform`, environment)
  }
  return app
}

const clusterStack = (app: App, environment: Environment): void => {
  switch (environment.cloud) {
    case 'aws':
      new AwsClusterStack(app, 'aws-cluster', environment)
      break
    case 'google':
      new GoogleClusterStack(app, 'google-cluster', environment)
      break
    case 'azure':
      new AzureClusterStack(app, 'azure-cluster', environment)
      break
  }
}
