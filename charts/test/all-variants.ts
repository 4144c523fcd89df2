import { cases, chart as llmApi, merged } from './llm-api-cases.ts'
import { template, templateText, type HelmProgram, type Manifest } from './helm.ts'
import { cases as views, chart as observability } from './observability-cases.ts'
import { chart as postern, variants } from './postern-cases.ts'

/** One way to install one chart. */
export interface Variant {
  readonly name: string
  readonly chart: string
  readonly release: string
  readonly values: unknown
}

/** Every way in which the tests render a chart. */
export const allVariants: readonly Variant[] = [
  ...Object.entries(variants).map(([name, values]) => variant(`postern, ${name}`, postern, values)),
  ...Object.entries(cases).map(([name, { values }]) => variant(`llm-api, ${name}`, llmApi, merged(values))),
  ...Object.entries(views).map(([name, { values }]) =>
    variant(`observability, ${name}`, observability, values),
  ),
]

function variant(name: string, chart: string, values: unknown): Variant {
  return { name, chart, release: name.split(',')[0] ?? name, values }
}

const KUBERNETES = ['--kube-version', '1.36.0']

export const renderVariant = (
  { chart, release, values }: Variant,
  helm?: HelmProgram,
): Promise<readonly Manifest[]> =>
  template(chart, { values, release, args: KUBERNETES, ...(helm && { helm }) })

/** As Helm hands it to the cluster, which reads YAML 1.1. */
export const variantText = ({ chart, release, values }: Variant): Promise<string> =>
  templateText(chart, { values, release, args: KUBERNETES })
