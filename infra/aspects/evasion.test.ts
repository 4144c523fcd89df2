import { expect, test } from '@jest/globals'
import { DataAwsIamPolicyDocument } from '@cdktf/provider-aws/lib/data-aws-iam-policy-document/index.js'
import { Eip } from '@cdktf/provider-aws/lib/eip/index.js'
import { EksCluster } from '@cdktf/provider-aws/lib/eks-cluster/index.js'
import { EksNodeGroup } from '@cdktf/provider-aws/lib/eks-node-group/index.js'
import { CloudwatchLogGroup } from '@cdktf/provider-aws/lib/cloudwatch-log-group/index.js'
import { AwsProvider } from '@cdktf/provider-aws/lib/provider/index.js'
import { Route53Zone } from '@cdktf/provider-aws/lib/route53-zone/index.js'
import { S3BucketPublicAccessBlock } from '@cdktf/provider-aws/lib/s3-bucket-public-access-block/index.js'
import { S3Bucket } from '@cdktf/provider-aws/lib/s3-bucket/index.js'
import { SecurityGroup } from '@cdktf/provider-aws/lib/security-group/index.js'
import { VpcSecurityGroupIngressRule } from '@cdktf/provider-aws/lib/vpc-security-group-ingress-rule/index.js'
import { ComputeFirewall } from '@cdktf/provider-google/lib/compute-firewall/index.js'
import { ContainerCluster } from '@cdktf/provider-google/lib/container-cluster/index.js'
import { ProjectIamMember } from '@cdktf/provider-google/lib/project-iam-member/index.js'
import { GoogleProvider } from '@cdktf/provider-google/lib/provider/index.js'
import { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js'
import { Release } from '@cdktf/provider-helm/lib/release/index.js'
import {
  App,
  Fn,
  LocalBackend,
  S3Backend,
  TerraformHclModule,
  TerraformIterator,
  TerraformLocal,
  TerraformStack,
  TerraformVariable,
} from 'cdktf'
import { checks } from '../app.ts'
import { written } from '../test/synth.ts'
import { tagged } from './tags.ts'
import { addAspects } from './visit.ts'

const tags = { project: 'p', environment: 'e', owner: 'o', 'cost-center': 'c' }

/** Synthesises one stack with what was planted, looked at as the real ones are. */
const synth = (plant: (stack: TerraformStack) => unknown) =>
  written((outdir) => {
    const app = new App({ outdir })
    const stack = new TerraformStack(app, 'planted')
    new AwsProvider(stack, 'aws', { region: 'eu-central-1' })
    new GoogleProvider(stack, 'google', {})
    new HelmProvider(stack, 'helm', {})
    new S3Backend(stack, { bucket: 'b', key: 'k' })
    plant(stack)
    addAspects(stack, [tagged(tags), ...checks])
    return app
  })

const rule = { securityGroupId: 'g', ipProtocol: 'tcp' }
const group = (stack: TerraformStack) => new SecurityGroup(stack, 'x', { name: 'x' })
const cluster = (stack: TerraformStack) =>
  new EksCluster(stack, 'x', {
    name: 'x',
    roleArn: 'r',
    vpcConfig: { subnetIds: ['a'], endpointPrivateAccess: true, endpointPublicAccess: false },
    encryptionConfig: { resources: ['secrets'], provider: { keyArn: 'k' } },
  })
const release = (stack: TerraformStack, text: string) =>
  new Release(stack, 'x', { name: 'x', chart: 'x', version: '1.0.0', values: [text] })

/** Ways past aspects that look at constructs, and the sentence with which each ends. */
const evasions: Readonly<Record<string, readonly [(stack: TerraformStack) => unknown, RegExp]>> = {
  'an override of the resource': [
    (stack) => {
      cluster(stack).addOverride('vpc_config.endpoint_public_access', true)
    },
    /set vpc_config\.endpoint_public_access to false/,
  ],
  'an override of the stack': [
    (stack) => {
      group(stack)
      stack.addOverride('resource.aws_security_group.x.ingress', [{ cidr_blocks: ['0.0.0.0/0'] }])
    },
    /\[planted\] it is overridden as a whole/,
  ],
  'an override of the tags': [
    (stack) => {
      new S3Bucket(stack, 'x', { bucket: 'x' }).addOverride('tags', null)
    },
    /aws_s3_bucket: add project, environment, owner, cost-center to tags/,
  ],
  'a tag of nothing': [
    (stack) => {
      new S3Bucket(stack, 'x', { bucket: 'x' }).addOverride('tags.owner', null)
    },
    /aws_s3_bucket: add owner to tags/,
  ],
  'a tag of blanks': [
    (stack) => {
      new S3Bucket(stack, 'x', { bucket: 'x', tags: { owner: ' ' } })
    },
    /aws_s3_bucket: add owner to tags/,
  ],
  'a variable': [
    (stack) => {
      const open = new TerraformVariable(stack, 'open', { default: '0.0.0.0/0' })
      new VpcSecurityGroupIngressRule(stack, 'x', { ...rule, cidrIpv4: open.stringValue })
    },
    /TerraformVariable: only resources[^]*write cidr_ipv4 out[^]*lets everybody in/,
  ],
  'a local': [
    (stack) => {
      new TerraformLocal(stack, 'open', '0.0.0.0/0')
    },
    /TerraformLocal: only resources/,
  ],
  'a function': [
    (stack) =>
      new VpcSecurityGroupIngressRule(stack, 'x', { ...rule, cidrIpv4: Fn.join('/', ['0.0.0.0', '0']) }),
    /lets everybody in/,
  ],
  'a function for a whole list': [
    (stack) =>
      new SecurityGroup(stack, 'x', {
        name: 'x',
        ingress: [{ fromPort: 0, toPort: 0, protocol: '-1', cidrBlocks: Fn.tolist(['0.0.0.0/0']) }],
      }),
    /lets everybody in/,
  ],
  'a raw expression': [
    (stack) => new CloudwatchLogGroup(stack, 'x', { name: 'x', kmsKeyId: '${null}' }),
    /name a key of yours in kms_key_id/,
  ],
  'a key of blanks': [
    (stack) => new CloudwatchLogGroup(stack, 'x', { name: 'x', kmsKeyId: ' ' }),
    /name a key of yours in kms_key_id/,
  ],
  'a dynamic block': [
    (stack) => {
      const ranges = TerraformIterator.fromList(['0.0.0.0/0'])
      new SecurityGroup(stack, 'x', {
        name: 'x',
        ingress: ranges.dynamic({ from_port: 0, to_port: 0, protocol: '-1', cidr_blocks: ['0.0.0.0/0'] }),
      })
    },
    /\[planted\/x\] aws_security_group: write ingress out/,
  ],
  'a dynamic block by override': [
    (stack) => {
      group(stack).addOverride('dynamic.ingress', { for_each: ['0.0.0.0/0'], content: {} })
    },
    /a dynamic block is not seen/,
  ],
  for_each: [
    (stack) => {
      const ranges = TerraformIterator.fromList(['0.0.0.0/0'])
      new VpcSecurityGroupIngressRule(stack, 'x', { ...rule, forEach: ranges, cidrIpv4: ranges.value })
    },
    /write a loop of TypeScript[^]*lets everybody in/,
  ],
  'a block of public access that is counted to none': [
    (stack) => {
      const bucket = new S3Bucket(stack, 'x', { bucket: 'x' })
      new S3BucketPublicAccessBlock(stack, 'y', {
        bucket: bucket.id,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
        count: 0,
      })
    },
    /how many there are must be known/,
  ],
  'a block of public access for another bucket, that names this one elsewhere': [
    (stack) => {
      const bucket = new S3Bucket(stack, 'x', { bucket: 'x' })
      new S3BucketPublicAccessBlock(stack, 'y', { bucket: 'other', region: bucket.region } as never)
    },
    /add an aws_s3_bucket_public_access_block for it/,
  ],
  'a module': [
    (stack) => new TerraformHclModule(stack, 'x', { source: 'terraform-aws-modules/eks/aws' }),
    /TerraformHclModule: only resources/,
  ],
  'a data source that nobody has looked at': [
    (stack) => {
      const document = new DataAwsIamPolicyDocument(stack, 'x', {})
      document.terraformResourceType satisfies string
      Object.assign(document, { terraformResourceType: 'external' })
    },
    /data\.external: nobody has said/,
  ],
  'a program that runs when it is made': [
    (stack) => {
      group(stack).provisioners = [{ type: 'local-exec', command: 'curl' }]
    },
    /take the provisioner away/,
  ],
  'a change by hand that is kept': [
    (stack) => {
      group(stack).lifecycle = { ignoreChanges: 'all' }
    },
    /name the attributes in ignore_changes/,
  ],
  'state in a file': [
    (stack) => {
      stack.node.tryRemoveChild('backend')
      new LocalBackend(stack, {})
    },
    /state in the backend local is not locked/,
  ],
  'a credential of the provider': [
    (stack) => new AwsProvider(stack, 'second', { alias: 'second', secretKey: 'x' }),
    /take secret_key away/,
  ],
  'a provider that believes everybody': [
    (stack) => new HelmProvider(stack, 'second', { alias: 'second', kubernetes: { insecure: true } }),
    /take insecure away/,
  ],
  'an eighth of the internet, in words of a private network': [
    (stack) => new VpcSecurityGroupIngressRule(stack, 'x', { ...rule, cidrIpv4: '10.0.0.0/7' }),
    /lets everybody in/,
  ],
  'all of a large company': [
    (stack) => new VpcSecurityGroupIngressRule(stack, 'x', { ...rule, cidrIpv4: '17.0.0.0/8' }),
    /lets everybody in/,
  ],
  'SSH to nodes': [
    (stack) =>
      new EksNodeGroup(stack, 'x', {
        clusterName: 'c',
        nodeRoleArn: 'r',
        subnetIds: ['s'],
        scalingConfig: { minSize: 1, maxSize: 1, desiredSize: 1 },
        remoteAccess: { ec2SshKey: 'k' },
      }),
    /reach nodes by AWS Systems Manager/,
  ],
  'an address for nothing': [
    (stack) => new Eip(stack, 'x', { domain: 'vpc' }),
    /nothing but aws_nat_gateway may have a public address/,
  ],
  'a public zone': [(stack) => new Route53Zone(stack, 'x', { name: 'x' }), /without one the zone is public/],
  "Google's other endpoint": [
    (stack) =>
      new ContainerCluster(stack, 'x', {
        name: 'x',
        privateClusterConfig: { enablePrivateEndpoint: true, enablePrivateNodes: true },
        controlPlaneEndpointsConfig: { dnsEndpointConfig: { allowExternalTraffic: true } },
      }),
    /dns_endpoint_config\.allow_external_traffic to false/,
  ],
  'a firewall without sources': [
    (stack) => new ComputeFirewall(stack, 'x', { name: 'x', network: 'n', sourceRanges: [] }),
    /lets everybody in/,
  ],
  'a right for everybody in a project': [
    (stack) => new ProjectIamMember(stack, 'x', { project: 'p', role: 'r', member: 'allAuthenticatedUsers' }),
    /lets everybody in/,
  ],
  'values that Terraform works out': [
    (stack) => release(stack, Fn.yamlencode({ service: { type: 'LoadBalancer' } })),
    /write its values out/,
  ],
  'a secret value': [
    (stack) =>
      new Release(stack, 'x', {
        name: 'x',
        chart: 'x',
        setSensitive: [{ name: 'service.type', value: 'LoadBalancer' }],
      }),
    /write what set_sensitive says into values/,
  ],
  'a program behind a chart': [
    (stack) => new Release(stack, 'x', { name: 'x', chart: 'x', postrender: { binaryPath: 'x' } }),
    /write what postrender says/,
  ],
  'a Service by another name': [
    (stack) => release(stack, 'serviceType: NodePort'),
    /its value serviceType opens the cluster/,
  ],
  'an Ingress as text': [
    (stack) => release(stack, 'extraManifests: ["apiVersion: v1\\nkind: Ingress"]'),
    /its value extraManifests\.0 opens the cluster/,
  ],
  'a second document of values': [
    (stack) => release(stack, 'a: 1\n---\nservice: { type: LoadBalancer }'),
    /its value service\.type opens the cluster/,
  ],
}

test.each(Object.keys(evasions))('%s does not get past the aspects', (name) => {
  const [plant, message] = evasions[name]!
  expect(() => synth(plant)).toThrow(message)
})

test('what the real stacks are made of is quiet', () => {
  expect(Object.keys(synth((stack) => group(stack)))).toEqual(['planted'])
})
