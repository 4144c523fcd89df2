import { S3Backend, type TerraformStack } from 'cdktf'
import type { AwsEnvironment } from '../environment.ts'

/** State in S3, encrypted with a key of yours, locked by a file beside it (Terraform 1.10 and newer). */
export const awsBackend = (stack: TerraformStack, environment: AwsEnvironment, part: string): void => {
  new S3Backend(stack, {
    bucket: environment.state.bucket,
    key: `${environment.name}/${part}.tfstate`,
    region: environment.region,
    encrypt: true,
    kmsKeyId: environment.state.kmsKeyArn,
  })
  // cdktf 0.21 does not know the lock file, which made the DynamoDB table unnecessary.
  stack.addOverride('terraform.backend.s3.use_lockfile', true)
}
