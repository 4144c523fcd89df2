import { ServiceAccountIamMember } from '@cdktf/provider-google/lib/service-account-iam-member/index.js'
import { ServiceAccount } from '@cdktf/provider-google/lib/service-account/index.js'
import type { ITerraformDependable } from 'cdktf'
import type { Construct } from 'constructs'
import type { GoogleEnvironment } from '../environment.ts'
import type { Workload } from '../names.ts'

export interface WorkloadAccountOptions {
  readonly environment: GoogleEnvironment
  readonly workload: Workload
  /** Last part of the account's name. */
  readonly name: string
  readonly displayName: string
  /** The cluster, which makes the pool of identities. */
  readonly after: ITerraformDependable
}

/** The identity of one ServiceAccount of the cluster, by GKE Workload Identity. Without rights of its own. */
export const workloadAccount = (
  scope: Construct,
  id: string,
  { environment, workload, name, displayName, after }: WorkloadAccountOptions,
): ServiceAccount => {
  const account = new ServiceAccount(scope, id, { accountId: `${environment.name}-${name}`, displayName })
  new ServiceAccountIamMember(scope, `${id}-identity`, {
    serviceAccountId: account.name,
    role: 'roles/iam.workloadIdentityUser',
    member: `serviceAccount:${environment.project}.svc.id.goog[${workload.namespace}/${workload.serviceAccount}]`,
    dependsOn: [after],
  })
  return account
}

/** What the ServiceAccount says to get it. */
export const accountAnnotation = (
  { name, project }: GoogleEnvironment,
  account: string,
): Readonly<Record<string, string>> => ({
  'iam.gke.io/gcp-service-account': `${name}-${account}@${project}.iam.gserviceaccount.com`,
})
