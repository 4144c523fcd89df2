import { GcsBackend, type TerraformStack } from 'cdktf'
import type { GoogleEnvironment } from '../environment.ts'

/** State in Cloud Storage, which locks by itself, encrypted with a key of yours. */
export const googleBackend = (stack: TerraformStack, environment: GoogleEnvironment, part: string): void => {
  new GcsBackend(stack, {
    bucket: environment.state.bucket,
    prefix: `${environment.name}/${part}`,
    kmsEncryptionKey: environment.state.kmsKey,
  })
}
