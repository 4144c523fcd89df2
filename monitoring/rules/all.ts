import { behaviour } from './behaviour.ts'
import { controller } from './controller.ts'
import { dependencies } from './dependencies.ts'
import { guard } from './guard.ts'
import { redteam } from './redteam.ts'
import type { Alert, Group } from './rule.ts'
import { respond } from './respond.ts'
import { security } from './security.ts'
import { slo } from './slo.ts'

export const groups: readonly Group[] = [
  ...slo,
  ...guard,
  ...dependencies,
  ...security,
  ...behaviour,
  ...redteam,
  ...respond,
  ...controller,
]

export const alerts: readonly Alert[] = groups.flatMap(({ rules }) => rules.filter((rule) => 'alert' in rule))
