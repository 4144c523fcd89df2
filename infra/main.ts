import { fileURLToPath } from 'node:url'
import { infrastructure } from './app.ts'
import { aws } from './environments/aws.ts'
import { azure } from './environments/azure.ts'
import { google } from './environments/google.ts'

const outdir = process.argv[2] ?? fileURLToPath(new URL('cdktf.out', import.meta.url))
infrastructure([aws, google, azure], outdir).synth()
process.stdout.write(
  `The Terraform JSON of six stacks is in ${outdir}/stacks; infra/README.md says how to apply it.\n`,
)
