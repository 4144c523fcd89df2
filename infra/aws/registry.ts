import { EcrLifecyclePolicy } from '@cdktf/provider-aws/lib/ecr-lifecycle-policy/index.js'
import { EcrRepository } from '@cdktf/provider-aws/lib/ecr-repository/index.js'
import type { KmsKey } from '@cdktf/provider-aws/lib/kms-key/index.js'
import { Construct } from 'constructs'
import type { AwsEnvironment } from '../environment.ts'
import { IMAGES } from '../names.ts'

/** One repository an image: a tag can never be moved, and what is pushed is scanned. */
export class AwsRegistry extends Construct {
  constructor(scope: Construct, environment: AwsEnvironment, key: KmsKey) {
    super(scope, 'registry')
    for (const image of IMAGES) {
      const repository = new EcrRepository(this, image, {
        name: `${environment.name}/${image}`,
        imageTagMutability: 'IMMUTABLE',
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfiguration: [{ encryptionType: 'KMS', kmsKey: key.arn }],
      })
      new EcrLifecyclePolicy(this, `${image}-lifecycle`, {
        repository: repository.name,
        policy: JSON.stringify({
          rules: [
            {
              rulePriority: 1,
              description: 'What has no tag is left over from a build',
              selection: {
                tagStatus: 'untagged',
                countType: 'sinceImagePushed',
                countUnit: 'days',
                countNumber: 14,
              },
              action: { type: 'expire' },
            },
          ],
        }),
      })
    }
  }
}
