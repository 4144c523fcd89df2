import { ComputeNetwork } from '@cdktf/provider-google/lib/compute-network/index.js'
import { ComputeRouterNat } from '@cdktf/provider-google/lib/compute-router-nat/index.js'
import { ComputeRouter } from '@cdktf/provider-google/lib/compute-router/index.js'
import { ComputeSubnetwork } from '@cdktf/provider-google/lib/compute-subnetwork/index.js'
import { Construct } from 'constructs'
import type { GoogleEnvironment } from '../environment.ts'

/** A network without public addresses but for the way out, and with a log of connections. */
export class GoogleNetwork extends Construct {
  readonly network: ComputeNetwork
  readonly subnet: ComputeSubnetwork

  constructor(scope: Construct, environment: GoogleEnvironment) {
    super(scope, 'network')
    this.network = new ComputeNetwork(this, 'network', {
      name: environment.name,
      autoCreateSubnetworks: false,
      routingMode: 'REGIONAL',
    })
    this.subnet = new ComputeSubnetwork(this, 'nodes', {
      name: `${environment.name}-nodes`,
      network: this.network.id,
      region: environment.region,
      ipCidrRange: environment.network.cidr,
      // Nodes reach Google's APIs without leaving its network.
      privateIpGoogleAccess: true,
      secondaryIpRange: [
        { rangeName: 'pods', ipCidrRange: '100.64.0.0/14' },
        { rangeName: 'services', ipCidrRange: '100.68.0.0/20' },
      ],
      logConfig: { aggregationInterval: 'INTERVAL_5_SEC', flowSampling: 1, metadata: 'INCLUDE_ALL_METADATA' },
    })
    const router = new ComputeRouter(this, 'router', {
      name: environment.name,
      network: this.network.id,
      region: environment.region,
    })
    new ComputeRouterNat(this, 'nat', {
      name: environment.name,
      router: router.name,
      region: environment.region,
      natIpAllocateOption: 'AUTO_ONLY',
      sourceSubnetworkIpRangesToNat: 'ALL_SUBNETWORKS_ALL_IP_RANGES',
      logConfig: { enable: true, filter: 'ERRORS_ONLY' },
    })
  }
}
