import { DataAzurermVirtualNetwork } from '@cdktf/provider-azurerm/lib/data-azurerm-virtual-network/index.js'
import { NatGatewayPublicIpAssociation } from '@cdktf/provider-azurerm/lib/nat-gateway-public-ip-association/index.js'
import { NatGateway } from '@cdktf/provider-azurerm/lib/nat-gateway/index.js'
import { NetworkSecurityGroup } from '@cdktf/provider-azurerm/lib/network-security-group/index.js'
import { PrivateDnsZoneVirtualNetworkLink } from '@cdktf/provider-azurerm/lib/private-dns-zone-virtual-network-link/index.js'
import { PrivateDnsZone } from '@cdktf/provider-azurerm/lib/private-dns-zone/index.js'
import { PrivateEndpoint } from '@cdktf/provider-azurerm/lib/private-endpoint/index.js'
import { PublicIp } from '@cdktf/provider-azurerm/lib/public-ip/index.js'
import type { ResourceGroup } from '@cdktf/provider-azurerm/lib/resource-group/index.js'
import { SubnetNatGatewayAssociation } from '@cdktf/provider-azurerm/lib/subnet-nat-gateway-association/index.js'
import { SubnetNetworkSecurityGroupAssociation } from '@cdktf/provider-azurerm/lib/subnet-network-security-group-association/index.js'
import { Subnet } from '@cdktf/provider-azurerm/lib/subnet/index.js'
import { VirtualNetworkPeering } from '@cdktf/provider-azurerm/lib/virtual-network-peering/index.js'
import { VirtualNetwork } from '@cdktf/provider-azurerm/lib/virtual-network/index.js'
import type { ITerraformDependable } from 'cdktf'
import { Construct } from 'constructs'
import type { AzureEnvironment } from '../environment.ts'

export interface PrivateServiceOptions {
  readonly name: string
  readonly resourceId: string
  /** What of the service is reached, such as `blob`. */
  readonly part: string
  /** The zones that Azure resolves the service's private addresses in. */
  readonly zones: readonly string[]
}

/** A network whose nodes have no public address, peered with the runner's, with one way out. */
export class AzureNetwork extends Construct {
  readonly network: VirtualNetwork
  readonly nodes: Subnet
  /** What must be there before nodes start: AKS refuses a subnet without its way out. */
  readonly ready: ITerraformDependable[] = []
  /** Where the API server has its address, so that it reaches a private vault. */
  readonly apiServer: Subnet
  private readonly group: ResourceGroup
  private readonly environment: AzureEnvironment
  private readonly runner: DataAzurermVirtualNetwork
  private readonly endpoints: Subnet

  constructor(scope: Construct, environment: AzureEnvironment, group: ResourceGroup) {
    super(scope, 'network')
    this.environment = environment
    this.group = group
    const [first, second] = environment.network.cidr.split('.')
    const prefix = `${first ?? ''}.${second ?? ''}`
    this.network = new VirtualNetwork(this, 'network', {
      ...this.place(environment.name),
      addressSpace: [environment.network.cidr],
    })
    const security = new NetworkSecurityGroup(this, 'security', {
      ...this.place(environment.name),
      // Azure's own last rule refuses what comes from outside the network; nothing is opened.
      securityRule: [],
    })
    this.nodes = this.subnet('nodes', `${prefix}.0.0/18`, security)
    this.endpoints = this.subnet('endpoints', `${prefix}.64.0/24`, security)
    this.apiServer = this.apiServerSubnet(`${prefix}.65.0/28`)
    this.wayOut()
    this.runner = new DataAzurermVirtualNetwork(this, 'runner', {
      name: environment.runnerNetwork.name,
      resourceGroupName: environment.runnerNetwork.resourceGroup,
    })
    this.peer()
  }

  /** Gives the service an address in this network, and the runner's network the name for it. */
  privateService({ name, resourceId, part, zones }: PrivateServiceOptions): PrivateEndpoint {
    const dns = zones.map(
      (zone) => (this.node.tryFindChild(zone) as PrivateDnsZone | undefined) ?? this.zone(zone),
    )
    return new PrivateEndpoint(this, `${name}-endpoint`, {
      ...this.place(`${this.environment.name}-${name}`),
      subnetId: this.endpoints.id,
      privateServiceConnection: {
        name,
        privateConnectionResourceId: resourceId,
        subresourceNames: [part],
        isManualConnection: false,
      },
      privateDnsZoneGroup: { name, privateDnsZoneIds: dns.map(({ id }) => id) },
    })
  }

  /** A private zone, linked with this network and the runner's. */
  zone(name: string): PrivateDnsZone {
    const zone = new PrivateDnsZone(this, name, { name, resourceGroupName: this.group.name })
    for (const [id, virtualNetworkId] of [
      ['own', this.network.id],
      ['runner', this.runner.id],
    ] as const)
      new PrivateDnsZoneVirtualNetworkLink(this, `${name}-${id}`, {
        name: `${this.environment.name}-${id}`,
        resourceGroupName: this.group.name,
        privateDnsZoneName: zone.name,
        virtualNetworkId,
      })
    return zone
  }

  private place(name: string) {
    return { name, resourceGroupName: this.group.name, location: this.environment.region }
  }

  private subnet(name: string, prefix: string, security: NetworkSecurityGroup): Subnet {
    const subnet = new Subnet(this, name, {
      name,
      resourceGroupName: this.group.name,
      virtualNetworkName: this.network.name,
      addressPrefixes: [prefix],
      defaultOutboundAccessEnabled: false,
      privateEndpointNetworkPolicies: 'Enabled',
    })
    new SubnetNetworkSecurityGroupAssociation(this, `${name}-security`, {
      subnetId: subnet.id,
      networkSecurityGroupId: security.id,
    })
    return subnet
  }

  /** Handed to AKS, which keeps rules of its own for it. */
  private apiServerSubnet(prefix: string): Subnet {
    return new Subnet(this, 'api-server', {
      name: 'api-server',
      resourceGroupName: this.group.name,
      virtualNetworkName: this.network.name,
      addressPrefixes: [prefix],
      defaultOutboundAccessEnabled: false,
      delegation: [
        {
          name: 'aks',
          serviceDelegation: {
            name: 'Microsoft.ContainerService/managedClusters',
            actions: ['Microsoft.Network/virtualNetworks/subnets/join/action'],
          },
        },
      ],
    })
  }

  private wayOut(): void {
    const address = new PublicIp(this, 'out-address', {
      ...this.place(`${this.environment.name}-out`),
      allocationMethod: 'Static',
      sku: 'Standard',
    })
    const gateway = new NatGateway(this, 'out', { ...this.place(this.environment.name), skuName: 'Standard' })
    this.ready.push(
      new NatGatewayPublicIpAssociation(this, 'out-association', {
        natGatewayId: gateway.id,
        publicIpAddressId: address.id,
      }),
    )
    this.ready.push(
      new SubnetNatGatewayAssociation(this, 'nodes-out', {
        subnetId: this.nodes.id,
        natGatewayId: gateway.id,
      }),
    )
  }

  private peer(): void {
    new VirtualNetworkPeering(this, 'to-runner', {
      name: 'to-runner',
      resourceGroupName: this.group.name,
      virtualNetworkName: this.network.name,
      remoteVirtualNetworkId: this.runner.id,
    })
    new VirtualNetworkPeering(this, 'from-runner', {
      name: `to-${this.environment.name}`,
      resourceGroupName: this.environment.runnerNetwork.resourceGroup,
      virtualNetworkName: this.runner.name,
      remoteVirtualNetworkId: this.network.id,
    })
  }
}
