import { TestEnvironment } from 'jest-environment-node'
import { gather } from './evidence.ts'

/**
 * Without a cluster every test of the tier is reported as a skip by its own name; setup has already said why. When a test fails
 * what the cluster knows about it is kept.
 */
export default class ClusterEnvironment extends TestEnvironment {
  async handleTestEvent(event, state) {
    if (event.name === 'run_start' && process.env.POSTERN_E2E_MISSING) skip(state.rootDescribeBlock)
    if (event.name === 'test_fn_failure' || (event.name === 'hook_failure' && event.test === undefined))
      await this.#keep(event.test?.name ?? 'setup')
  }

  async #keep(name) {
    if (process.env.POSTERN_E2E_CLUSTER === undefined) return
    const folder = await gather(name).catch((cause) => String(cause))
    process.stderr.write(`e2e: "${name}" failed; what the cluster knows is in ${folder}\n`)
  }
}

const skip = (block) => {
  block.mode = 'skip'
  for (const child of block.children) {
    child.mode = 'skip'
    if (child.type === 'describeBlock') skip(child)
  }
}
