import { DnsManagedZoneIamMember } from '@cdktf/provider-google/lib/dns-managed-zone-iam-member/index.js'
import { DnsManagedZone } from '@cdktf/provider-google/lib/dns-managed-zone/index.js'
import { ProjectIamMember } from '@cdktf/provider-google/lib/project-iam-member/index.js'
import type { ITerraformDependable } from 'cdktf'
import { Construct } from 'constructs'
import type { GoogleEnvironment } from '../environment.ts'
import { WORKLOADS } from '../names.ts'
import { workloadAccount } from './identity.ts'
import type { GoogleNetwork } from './network.ts'

export interface GoogleDnsOptions {
  readonly environment: GoogleEnvironment
  readonly network: GoogleNetwork
  /** The cluster, which makes the pool of identities. */
  readonly after: ITerraformDependable
}

/** The private zone, and the right of external-dns to write names into it and into no other. */
export class GoogleDns extends Construct {
  constructor(scope: Construct, { environment, network, after }: GoogleDnsOptions) {
    super(scope, 'dns')
    const { name, project, dnsZone } = environment
    const zone = new DnsManagedZone(this, 'zone', {
      name,
      dnsName: `${dnsZone}.`,
      visibility: 'private',
      privateVisibilityConfig: { networks: [{ networkUrl: network.network.id }] },
    })
    const account = workloadAccount(this, 'writer', {
      environment,
      workload: WORKLOADS.dns,
      name: 'dns',
      displayName: 'Writes names into the private zone',
      after,
    })
    const member = `serviceAccount:${account.email}`
    new DnsManagedZoneIamMember(this, 'writer-writes', {
      managedZone: zone.name,
      role: 'roles/dns.admin',
      member,
    })
    // It lists the zones of the project before it writes.
    new ProjectIamMember(this, 'writer-lists', { project, role: 'roles/dns.reader', member })
  }
}
