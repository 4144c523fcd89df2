import base from '../jest.config.mjs'

/** Two tiers, each with a cluster of its own: `--selectProjects api` (API server only) and `full` (pods run). */
const tier = (name) => ({
  displayName: name,
  rootDir: import.meta.dirname,
  roots: [`<rootDir>/${name}`],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: base.extensionsToTreatAsEsm,
  transform: base.transform,
  testEnvironment: '<rootDir>/support/environment.mjs',
  globalSetup: `<rootDir>/support/setup-${name}.mjs`,
  globalTeardown: '<rootDir>/support/teardown.mjs',
})

/** @type {import('jest').Config} */
export default {
  projects: [tier('api'), tier('full')],
  // One cluster, two cores: side by side the specs would only disturb one another.
  maxWorkers: 1,
  testTimeout: 120_000,
}
