import { describe, expect } from '@jest/globals'
import { allVariants, renderVariant } from './all-variants.ts'
import { helm3Test, runHelm, type Manifest } from './helm.ts'

describe.each(allVariants)('Helm 3, $name', (variant) => {
  helm3Test('finds nothing with lint --strict', async () => {
    const args = ['lint', '--strict', variant.chart, '--kube-version', '1.36.0']
    const { status, stdout, stderr } = await runHelm(args, variant.values, 'helm3')
    expect(`${stdout}${stderr}`).not.toMatch(/\[(WARNING|ERROR)\]/)
    expect(status).toBe(0)
  })

  helm3Test('renders what Helm 4 renders', async () => {
    const [now, former] = await Promise.all([renderVariant(variant), renderVariant(variant, 'helm3')])
    expect(byName(former)).toEqual(byName(now))
  })
})

/** In an order of its own, for the two install in slightly different ones. Keys that are made anew each time are left out. */
const byName = (manifests: readonly Manifest[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    manifests
      .map((manifest): [string, unknown] => [
        `${manifest.kind}/${manifest.metadata.namespace ?? ''}/${manifest.metadata.name}`,
        manifest.kind === 'Secret' ? { ...manifest, data: undefined, stringData: undefined } : manifest,
      ])
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  )
