import { access } from './access.ts'
import { audit } from './audit.ts'
import { behaviour } from './behaviour.ts'
import type { Board } from './board.ts'
import { budgets } from './budgets.ts'
import { controller } from './controller.ts'
import { overview } from './overview.ts'
import { policy } from './policy.ts'
import { redteam } from './redteam.ts'
import { security } from './security.ts'
import { streaming } from './streaming.ts'
import { upstream } from './upstream.ts'

export const boards: readonly Board[] = [
  overview,
  security,
  redteam,
  access,
  behaviour,
  policy,
  streaming,
  budgets,
  upstream,
  audit,
  controller,
]
