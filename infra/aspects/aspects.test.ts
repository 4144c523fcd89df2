import { expect, test } from '@jest/globals'
import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js'
import { EbsVolume } from '@cdktf/provider-aws/lib/ebs-volume/index.js'
import { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js'
import { LaunchTemplate } from '@cdktf/provider-aws/lib/launch-template/index.js'
import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js'
import { S3BucketPublicAccessBlock } from '@cdktf/provider-aws/lib/s3-bucket-public-access-block/index.js'
import { S3BucketServerSideEncryptionConfigurationA } from '@cdktf/provider-aws/lib/s3-bucket-server-side-encryption-configuration/index.js'
import { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket/index.js'
import { VpcSecurityGroupIngressRule } from '@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js'
import { KeyVault } from '@cdktf/provider-azurerm/lib/key-vault/index.js'
import { NetworkSecurityGroup } from '@cdktf/provider-azurerm/lib/network-security-group/index.js'
import { AzurermProvider } from '@cdktf/provider-azurerm/lib/provider/index.js'
import { StorageAccount } from '@cdktf/provider-azurerm/lib/storage-account/index.js'
import { ContainerNodePool } from '@cdktf/provider-google/lib/container-node-pool/index.js'
import { GoogleProvider } from '@cdktf/provider-google/lib/provider/index.js'
import { StorageBucketIamMember } from '@cdktf/provider-google/lib/storage-bucket-iam-member/index.js'
import { StorageBucket } from '@cdktf/provider-google/lib/storage-bucket/index.js'
import { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js'
import { Release } from '@cdktf/provider-helm/lib/release/index.js'
import { App, type IAspect, TerraformStack } from 'cdktf'
import { infrastructure } from '../app.ts'
import { written } from '../test/synth.ts'
import { encrypted } from './encryption.ts'
import { noPublicEndpoints } from './public-endpoints.ts'
import { reviewedOnly } from './reviewed.ts'
import { requireTags, tagged } from './tags.ts'
import { addAspects } from './visit.ts'

const tags = { project: 'p', environment: 'e', owner: 'o', 'cost-center': 'c' }

/** Synthesises one stack with what was planted. */
const synth = (aspects: readonly IAspect[], plant: (stack: TerraformStack) => unknown) =>
  written((outdir) => {
    const app = new App({ outdir })
    const stack = new TerraformStack(app, 'planted')
    new AwsProvider(stack, 'aws', { region: 'eu-central-1' })
    new AzurermProvider(stack, 'azurerm', { features: [{}] })
    new GoogleProvider(stack, 'google', {})
    new HelmProvider(stack, 'helm', {})
    plant(stack)
    addAspects(stack, aspects)
    return app
  })

const vpcConfig = { subnetIds: ['a'], endpointPrivateAccess: true, endpointPublicAccess: false }
const account = {
  name: 'a',
  resourceGroupName: 'g',
  location: 'l',
  accountTier: 'Standard',
  accountReplicationType: 'ZRS',
}
const closed = { publicNetworkAccessEnabled: false, allowNestedItemsToBePublic: false }

const inbound = {
  name: 'all',
  priority: 100,
  protocol: '*',
  direction: 'Inbound',
  access: 'Allow',
  sourceAddressPrefix: '*',
  sourcePortRange: '*',
  destinationAddressPrefix: '*',
  destinationPortRange: '*',
}

const open: Readonly<Record<string, readonly [(stack: TerraformStack) => unknown, RegExp]>> = {
  'a public API server': [
    (stack) =>
      new EksCluster(stack, 'x', {
        name: 'x',
        roleArn: 'r',
        vpcConfig: { ...vpcConfig, endpointPublicAccess: true },
      }),
    /\[planted\/x\] aws_eks_cluster: set vpc_config\.endpoint_public_access to false/,
  ],
  "an API server with the cloud's own default": [
    (stack) => new EksCluster(stack, 'x', { name: 'x', roleArn: 'r', vpcConfig: { subnetIds: ['a'] } }),
    /endpoint_public_access to false/,
  ],
  'a rule that lets everybody in': [
    (stack) =>
      new VpcSecurityGroupIngressRule(stack, 'x', {
        securityGroupId: 'g',
        ipProtocol: 'tcp',
        cidrIpv4: '0.0.0.0/0',
      }),
    /lets everybody in/,
  ],
  'a bucket that nothing closes': [
    (stack) => new S3Bucket(stack, 'x', { bucket: 'x' }),
    /add an aws_s3_bucket_public_access_block/,
  ],
  'a bucket that is half closed': [
    (stack) => new S3BucketPublicAccessBlock(stack, 'x', { bucket: 'x', blockPublicAcls: true }),
    /set block_public_policy to true/,
  ],
  'a node pool with public addresses': [
    (stack) => new ContainerNodePool(stack, 'x', { cluster: 'c' }),
    /network_config\.enable_private_nodes/,
  ],
  'a bucket that everybody may read': [
    (stack) =>
      new StorageBucketIamMember(stack, 'x', {
        bucket: 'b',
        role: 'roles/storage.objectViewer',
        member: 'allUsers',
      }),
    /lets everybody in/,
  ],
  'a vault on the internet': [
    (stack) =>
      new KeyVault(stack, 'x', {
        name: 'v',
        resourceGroupName: 'g',
        location: 'l',
        tenantId: 't',
        skuName: 'premium',
      }),
    /public_network_access_enabled to false/,
  ],
  'a network open to the internet': [
    (stack) =>
      new NetworkSecurityGroup(stack, 'x', {
        name: 'n',
        resourceGroupName: 'g',
        location: 'l',
        securityRule: [inbound],
      }),
    /lets everybody in/,
  ],
  'a chart that opens a load balancer': [
    (stack) =>
      new Release(stack, 'x', {
        name: 'x',
        chart: 'x',
        values: ['gateway: { service: { type: LoadBalancer } }'],
      }),
    /its value gateway\.service\.type opens the cluster/,
  ],
  'half of the internet in a rule': [
    (stack) =>
      new VpcSecurityGroupIngressRule(stack, 'x', {
        securityGroupId: 's',
        ipProtocol: '-1',
        cidrIpv4: '128.0.0.0/1',
      }),
    /lets everybody in/,
  ],
  'nodes with public addresses': [
    (stack) => new LaunchTemplate(stack, 'x', { networkInterfaces: [{ associatePublicIpAddress: 'true' }] }),
    /associate_public_ip_address/,
  ],
  'a chart whose single value opens a load balancer': [
    (stack) =>
      new Release(stack, 'x', {
        name: 'x',
        chart: 'x',
        set: [{ name: 'controller.service.type', value: 'LoadBalancer' }],
      }),
    /its value controller\.service\.type opens the cluster/,
  ],
  'a chart with an ingress among its extra objects': [
    (stack) => new Release(stack, 'x', { name: 'x', chart: 'x', values: ['extra: [{ kind: Ingress }]'] }),
    /extra\.0\.kind/,
  ],
  'a chart with an ingress': [
    (stack) =>
      new Release(stack, 'x', { name: 'x', chart: 'x', values: ['grafana: { ingress: { enabled: true } }'] }),
    /grafana\.ingress\.enabled/,
  ],
}

test.each(Object.keys(open))('%s breaks synth, with its path and what to do', (name) => {
  const [plant, message] = open[name]!
  expect(() => synth([noPublicEndpoints], plant)).toThrow(message)
})

const readable: Readonly<Record<string, readonly [(stack: TerraformStack) => unknown, RegExp]>> = {
  'Secrets without an envelope': [
    (stack) => new EksCluster(stack, 'x', { name: 'x', roleArn: 'r', vpcConfig }),
    /\[planted\/x\] aws_eks_cluster: name a key of yours in encryption_config\.provider\.key_arn/,
  ],
  'a log group without a key': [
    (stack) => new CloudwatchLogGroup(stack, 'x', { name: 'x' }),
    /name a key of yours in kms_key_id/,
  ],
  'a disk without a key': [
    (stack) => new LaunchTemplate(stack, 'x', { blockDeviceMappings: [{ ebs: { encrypted: 'true' } }] }),
    /encrypted with a kms_key_id/,
  ],
  'nodes without a word about disks': [
    (stack) => new LaunchTemplate(stack, 'x', {}),
    /block_device_mappings/,
  ],
  'a bucket of AWS without a key': [
    (stack) => new S3Bucket(stack, 'x', { bucket: 'x' }),
    /aws_s3_bucket_server_side_encryption_configuration/,
  ],
  "a bucket with the cloud's key": [
    (stack) => {
      const bucket = new S3Bucket(stack, 'x', { bucket: 'x' })
      new S3BucketServerSideEncryptionConfigurationA(stack, 'y', {
        bucket: bucket.id,
        rule: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }],
      })
    },
    /kms_master_key_id/,
  ],
  'a bucket of Google Cloud without a key': [
    (stack) => new StorageBucket(stack, 'x', { name: 'x', location: 'l' }),
    /encryption\.default_kms_key_name/,
  ],
  'a storage account without a key': [
    (stack) => new StorageAccount(stack, 'x', { ...account, ...closed }),
    /customer_managed_key\.key_vault_key_id/,
  ],
}

test.each(Object.keys(readable))('%s breaks synth', (name) => {
  const [plant, message] = readable[name]!
  expect(() => synth([encrypted], plant)).toThrow(message)
})

test('a missing and an empty tag break synth on every cloud', () => {
  expect(() => synth([requireTags], (stack) => new S3Bucket(stack, 'x', { bucket: 'x' }))).toThrow(
    /\[planted\/x\] aws_s3_bucket: add project, environment, owner, cost-center to tags/,
  )
  expect(() =>
    synth(
      [requireTags],
      (stack) => new StorageBucket(stack, 'x', { name: 'x', location: 'l', labels: { ...tags, owner: '' } }),
    ),
  ).toThrow(/google_storage_bucket: add owner to labels/)
  expect(() => synth([requireTags], (stack) => new StorageAccount(stack, 'x', account))).toThrow(
    /azurerm_storage_account/,
  )
})

test('the tags of the environment reach every resource and replace none of its own', () => {
  const made = synth(
    [tagged(tags), requireTags],
    (stack) => new S3Bucket(stack, 'x', { bucket: 'x', tags: { owner: 'mine' } }),
  )
  expect(made.planted?.resource.aws_s3_bucket?.x).toMatchObject({ tags: { ...tags, owner: 'mine' } })
})

test('a type that nobody has looked at breaks synth', () => {
  expect(() =>
    synth([reviewedOnly], (stack) => new EbsVolume(stack, 'x', { availabilityZone: 'a', size: 1 })),
  ).toThrow(/\[planted\/x\] aws_ebs_volume: nobody has said/)
})

test("cdktf's own switch to write all the same is off", () => {
  process.env.CDKTF_CONTINUE_SYNTH_ON_ERROR_ANNOTATIONS = '1'
  expect(written((outdir) => infrastructure([], outdir))).toEqual({})
  expect(process.env.CDKTF_CONTINUE_SYNTH_ON_ERROR_ANNOTATIONS).toBeUndefined()
})

test('all errors of a stack are told at once', () => {
  expect(() =>
    synth([encrypted, noPublicEndpoints], (stack) => {
      new S3Bucket(stack, 'x', { bucket: 'x' })
      new CloudwatchLogGroup(stack, 'y', { name: 'y' })
    }),
  ).toThrow(/planted\/x[^]*planted\/y/)
})

test('what is right is quiet', () => {
  const made = synth([tagged(tags), requireTags, encrypted, noPublicEndpoints], (stack) => {
    const bucket = new S3Bucket(stack, 'x', { bucket: 'x' })
    new S3BucketPublicAccessBlock(stack, 'b', {
      bucket: bucket.id,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    })
    new S3BucketServerSideEncryptionConfigurationA(stack, 'e', {
      bucket: bucket.id,
      rule: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'aws:kms', kmsMasterKeyId: 'k' } }],
    })
    new Release(stack, 'r', { name: 'x', chart: 'x', values: ['service: { type: ClusterIP }'] })
  })
  expect(Object.keys(made)).toEqual(['planted'])
})
