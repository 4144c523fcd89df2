/** @type {import('jest').Config} */
export default {
  roots: [
    '<rootDir>/proxy',
    '<rootDir>/charts',
    '<rootDir>/infra',
    '<rootDir>/monitoring',
    '<rootDir>/security',
  ],
  testMatch: ['**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  testEnvironment: 'node',
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2024',
          parser: { syntax: 'typescript' },
          experimental: { keepImportAttributes: true },
        },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Two cores that also build and serve what is tested.
  testTimeout: 60_000,
  maxWorkers: '100%',
}
