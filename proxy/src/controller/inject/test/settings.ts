import { defaultProfile } from '../default-profile.ts'
import type { InjectSettings } from '../settings.ts'

export const settings: InjectSettings = {
  version: '0.1.0',
  image: 'ghcr.io/postern/postern:0.1.0',
  imagePullPolicy: 'IfNotPresent',
  profiles: new Map([
    ['default', defaultProfile],
    ['strict', 'models: [$(NOT_EXPANDED)]\n'],
  ]),
  resources: { cpu: '100m', memory: '256Mi', memoryLimit: '512Mi' },
  drainSeconds: 30,
  adminPort: 8081,
  guardPort: 8080,
  after: ['verify-model'],
  identity: 'controller',
  audience: 'postern-controller',
}
