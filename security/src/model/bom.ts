import { randomUUID } from 'node:crypto'
import type { Model } from './registry.ts'

/**
 * The models of a registry as a CycloneDX 1.7 bill of materials: one `machine-learning-model` a version, with the digest that was
 * signed. What the registry does not know, such as licences, is left out and not guessed.
 */
export const bomOf = (models: readonly Model[], at: Date): object => ({
  bomFormat: 'CycloneDX',
  specVersion: '1.7',
  serialNumber: `urn:uuid:${randomUUID()}`,
  version: 1,
  metadata: {
    timestamp: at.toISOString(),
    tools: { components: [{ type: 'application', name: 'postern-sec' }] },
  },
  components: models.flatMap((model) => model.versions.map((version) => componentOf(model, version))),
})

const componentOf = (
  { name, aliases }: Model,
  { version, source, digest, signer, servesAs }: Model['versions'][number],
) => ({
  type: 'machine-learning-model',
  'bom-ref': `${name}@${version}`,
  name,
  version,
  ...(digest === '' ? {} : { hashes: [{ alg: 'SHA-256', content: digest }] }),
  ...(isAddress(source) ? { externalReferences: [{ type: 'distribution', url: source }] } : {}),
  properties: [
    ...(servesAs === '' ? [] : [{ name: 'postern:serves-as', value: servesAs }]),
    { name: 'postern:signer', value: signer === '' ? 'unsigned' : signer },
    ...Object.entries(aliases)
      .filter(([, named]) => named === version)
      .map(([alias]) => ({ name: 'postern:alias', value: alias })),
  ],
})

const isAddress = (source: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//.test(source)
