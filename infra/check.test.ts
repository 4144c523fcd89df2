import { expect, test } from '@jest/globals'
import { checked, onePerCloud } from './check.ts'
import { aws } from './environments/aws.ts'
import { azure } from './environments/azure.ts'
import { google } from './environments/google.ts'
import type { AwsEnvironment, AzureEnvironment, Environment, GoogleEnvironment } from './environment.ts'
import { synthesised } from './test/synth.ts'

const [general, gpu] = aws.nodePools
const onAws = (changed: Partial<AwsEnvironment>): Environment => ({ ...aws, ...changed })
const onGoogle = (changed: Partial<GoogleEnvironment>): Environment => ({ ...google, ...changed })
const onAzure = (changed: Partial<AzureEnvironment>): Environment => ({ ...azure, ...changed })

/** What somebody in a hurry writes, and the sentence that says what to write instead. */
const mistakes: Readonly<Record<string, readonly [Environment, RegExp]>> = {
  'the region of another copy, with zones of the first': [
    onAws({ region: 'us-east-1' }),
    /zones: write zones of us-east-1, such as us-east-1a\.[^]*platform\.images: write 111122223333\.dkr\.ecr\.us-east-1[^]*state\.kmsKeyArn: .* in us-east-1/,
  ],
  'one zone three times': [
    onAws({ zones: ['eu-central-1a', 'eu-central-1a', 'eu-central-1a'] }),
    /zones: write three that differ\./,
  ],
  'a person as administrator': [
    onAws({ administrators: ['arn:aws:iam::111122223333:user/ada'] }),
    /administrators: .*user\/ada is no role of the account/,
  ],
  'no administrator': [onAws({ administrators: [] }), /administrators: name a role, or nobody administers/],
  'no runner': [onAws({ operators: [] }), /operators: name the range of the runner/],
  'a runner without a prefix': [onAws({ operators: ['10.10.0.0'] }), /operators: 10\.10\.0\.0 is no range/],
  'half of the internet as runners': [
    onAws({ operators: ['0.0.0.0/1', '128.0.0.0/1'] }),
    /0\.0\.0\.0\/1 is no range, or a large public one[^]*128\.0\.0\.0\/1/,
  ],
  'a range that begins in a private one and leaves it': [
    onAws({ operators: ['10.0.0.0/7'] }),
    /10\.0\.0\.0\/7/,
  ],
  'GPUs on a machine that has none': [
    onAws({ nodePools: [general, { ...gpu, machine: 'm7i.2xlarge' }] }),
    /nodePools gpu: m7i\.2xlarge has no NVIDIA GPU/,
  ],
  'a machine with GPUs that nobody asked for': [
    onAws({ nodePools: [{ ...general, machine: 'p5.48xlarge' }] }),
    /nodePools general: p5\.48xlarge has GPUs; add gpu/,
  ],
  'only nodes that may be taken away': [
    onAws({ nodePools: [{ ...general, spot: true }] }),
    /one without GPUs and spot needs min above 0/,
  ],
  'two pools of one name': [onAws({ nodePools: [general, general] }), /give each a name of its own/],
  'a disk that the images do not fit on': [
    onAws({ nodePools: [{ ...general, diskGb: 20 }] }),
    /write 50 for diskGb at least/,
  ],
  'a patch version': [
    onAws({ kubernetes: { version: '1.35' + '.2' } as never }),
    /kubernetes\.version: .*without a patch/,
  ],
  'a version that the charts do not know': [onAws({ kubernetes: { version: '1.28' } }), /from 1\.30 to/],
  'a zone with a dot at its end': [onAws({ dnsZone: 'llm.example.internal.' }), /without a dot at its end/],
  'a lock for a century': [
    onAws({ audit: { retentionDays: 36500, lock: 'compliance' } }),
    /write 3650 at most/,
  ],
  'a lock of no number': [
    onAws({ audit: { retentionDays: Number.NaN, lock: 'compliance' } }),
    /write 183 at least/,
  ],
  'images from elsewhere': [
    onAws({ platform: { ...aws.platform, images: 'ghcr.io/postern' } }),
    /platform\.images: write 111122223333\.dkr\.ecr/,
  ],
  'a digest that was cut': [
    onAws({ platform: { ...aws.platform, guardDigest: 'sha256:abc' } }),
    /platform\.guardDigest: write sha256: and 64/,
  ],
  'the number of a project in place of its id': [
    onGoogle({ project: '123456789012' }),
    /project: write the id/,
  ],
  'a control plane inside the network': [
    onGoogle({ controlPlaneCidr: '10.50.240.0/28' }),
    /controlPlaneCidr: write a private \/28 outside/,
  ],
  "the network of pods as the nodes'": [
    onGoogle({ network: { cidr: '100.64.0.0/16' } }),
    /pods and Services have those of 100\.64/,
  ],
  'a region as people say it': [
    onAzure({ region: 'West Europe' }),
    /region: write its name as `az account list-locations` does/,
  ],
  'the name of a group': [onAzure({ administrators: ['Platform Team'] }), /Platform Team is no object id/],
  'the name of a subscription': [onAzure({ subscriptionId: 'Production' }), /subscriptionId: write the id/],
  'GPUs first': [
    onAzure({ nodePools: [...azure.nodePools].reverse() }),
    /write one without GPUs and spot first/,
  ],
}

test.each(Object.keys(mistakes))('%s is refused with what to write instead', (name) => {
  const [environment, sentence] = mistakes[name]!
  expect(() => checked(environment)).toThrow(sentence)
})

test('the examples are right', () => {
  for (const environment of [aws, google, azure]) expect(checked<Environment>(environment)).toBe(environment)
})

test('two environments of one cloud are refused before anything is written', () => {
  expect(() => {
    onePerCloud([aws, azure, aws])
  }).toThrow(/two environments of aws: synthesise each by a call/)
  expect(() => synthesised(aws, { ...aws, name: 'postern-test' })).toThrow(/two environments of aws/)
})

test('a value that opens the cluster is refused, though the environment may set any', () => {
  const guard = { gateway: { service: { type: 'LoadBalancer' } } }
  expect(() => synthesised({ ...aws, platform: { ...aws.platform, guard } })).toThrow(
    /its value gateway\.service\.type opens the cluster; put a gateway of your own in front/,
  )
})

test('an expression of Terraform in an environment is text, and refused where it decides', () => {
  expect(() => synthesised(onAws({ operators: ['${var.operators}'] }))).toThrow(
    /operators: \$\{var\.operators\}/,
  )
})
