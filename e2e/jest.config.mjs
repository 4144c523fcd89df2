import base from '../jest.config.mjs'

const project = (name, more = {}) => ({
  displayName: name,
  rootDir: import.meta.dirname,
  roots: [`<rootDir>/${name}`],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: base.extensionsToTreatAsEsm,
  transform: base.transform,
  ...more,
})

/** Two tiers, each with a cluster of its own: `--selectProjects api` (API server only) and `full` (pods run). */
const tier = (name) =>
  project(name, {
    testEnvironment: '<rootDir>/support/environment.mjs',
    globalSetup: `<rootDir>/support/setup-${name}.mjs`,
    globalTeardown: '<rootDir>/support/teardown.mjs',
  })

/** @type {import('jest').Config} */
export default {
  // cluster: what needs no cluster, the cluster's own parts.
  // otel: needs no cluster either, but a collector.
  projects: [tier('api'), tier('full'), project('cluster'), project('otel')],
  // One cluster, two cores: side by side the specs would only disturb one another.
  maxWorkers: 1,
  testTimeout: 120_000,
}
