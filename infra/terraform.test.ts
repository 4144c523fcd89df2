import { afterAll, expect, test } from '@jest/globals'
import { execFile } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { aws } from './environments/aws.ts'
import { found } from './test/programs.ts'
import { unless } from './test/unless.ts'
import { type StackJson, synthesised } from './test/synth.ts'

const PROVIDER = 'registry.terraform.io/hashicorp/aws/5.100.0'
const folder = mkdtempSync(join(tmpdir(), 'postern-terraform-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A folder with providers: named by Terraform's own configuration file, where Terraform looks by itself, or in a folder of /opt. */
const mirror = (): string | undefined => {
  const file = process.env.TF_CLI_CONFIG_FILE ?? join(homedir(), '.terraformrc')
  const named = existsSync(file)
    ? /filesystem_mirror\s*\{[^}]*path\s*=\s*"([^"]+)"/.exec(readFileSync(file, 'utf8'))
    : null
  return [
    ...(named?.[1] === undefined ? [] : [named[1]]),
    join(homedir(), '.terraform.d/plugins'),
    '/usr/local/share/terraform/plugins',
    '/usr/share/terraform/plugins',
    ...globSync('/opt/*'),
  ].find((path) => existsSync(join(path, PROVIDER)))
}

const terraform = found('terraform')
const plugins = mirror()
const ready = terraform === undefined || plugins === undefined ? undefined : { terraform, plugins }
const real = unless(ready, `terraform with a mirror that holds ${PROVIDER}`)

/** The stack with mock credentials and state in a file: everything else is what would be applied. */
const mocked = (stack: StackJson): StackJson => {
  const mock = {
    access_key: 'mock',
    secret_key: 'mock',
    skip_credentials_validation: true,
    skip_metadata_api_check: 'true',
    skip_region_validation: true,
    skip_requesting_account_id: true,
  }
  return {
    ...stack,
    terraform: { ...stack.terraform, backend: { local: {} } },
    // Asking which account it is needs AWS.
    provider: {
      aws: (stack.provider.aws ?? []).map((each) => ({ ...each, ...mock, allowed_account_ids: undefined })),
    },
  }
}

const run = async (...args: readonly string[]): Promise<{ readonly stdout: string }> =>
  promisify(execFile)(ready?.terraform ?? '', [...args, '-no-color'], {
    cwd: join(folder, 'stack'),
    env: { ...process.env, TF_CLI_CONFIG_FILE: join(folder, 'terraform.rc'), CHECKPOINT_DISABLE: '1' },
    maxBuffer: 1 << 26,
  })

const prepare = async (): Promise<void> => {
  mkdirSync(join(folder, 'stack'), { recursive: true })
  writeFileSync(
    join(folder, 'terraform.rc'),
    `provider_installation {\n  filesystem_mirror {\n    path = "${ready?.plugins ?? ''}"\n  }\n}\n`,
  )
  const stack = synthesised(aws)['aws-cluster']
  writeFileSync(join(folder, 'stack', 'cdk.tf.json'), JSON.stringify(mocked(stack!)))
  await run('init', '-input=false')
}

real(
  'the real provider finds nothing wrong with the stack of AWS',
  async () => {
    await prepare()
    const { stdout } = await run('validate', '-json')
    expect(JSON.parse(stdout)).toMatchObject({ valid: true, error_count: 0, warning_count: 0 })
  },
  240_000,
)

real(
  'the real provider plans every resource of the stack of AWS, with its tags',
  async () => {
    await run('plan', '-input=false', '-refresh=false', '-out=plan')
    const { stdout } = await run('show', '-json', 'plan')
    const { resource_changes: changes } = JSON.parse(stdout) as { resource_changes: Change[] }
    const made = changes.filter(({ mode }) => mode === 'managed')
    expect(made.length).toBeGreaterThan(90)
    expect(made.filter(({ change }) => change.actions.join() !== 'create')).toEqual([])
    const untagged = made.filter(
      ({ change: { after } }) => 'tags_all' in after && after.tags_all?.owner !== aws.tags.owner,
    )
    expect(untagged.map(({ address }) => address)).toEqual([])
  },
  240_000,
)

interface Change {
  readonly address: string
  readonly mode: string
  readonly change: {
    readonly actions: readonly string[]
    readonly after: { readonly tags_all?: Readonly<Record<string, string>> | null }
  }
}

test('the stack of AWS names the provider that was tried, exactly', () => {
  expect(synthesised(aws)['aws-cluster']?.terraform.required_providers.aws).toMatchObject({
    version: '5.100.0',
  })
})
