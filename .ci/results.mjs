// Reads what jest wrote.
//   results.mjs failed FILE     the test files that failed, one a line; nothing when they are too many to be chance
//   results.mjs count FOLDER    names what was skipped and what failed, and ends with "N passed, N failed, N skipped"
// NAME-again.json holds the second try of files that failed in NAME.json.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const CHANCE = 3 // test files

const suitesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).testResults
const failedTests = (suite) => suite.assertionResults.filter(({ status }) => status === 'failed')

const failed = (file) => {
  const paths = suitesOf(file).flatMap(({ status, name }) => (status === 'failed' ? [name] : []))
  if (paths.length <= CHANCE) process.stdout.write(paths.map((path) => `${path}\n`).join(''))
}

const count = (folder, { steps, leftOut }) => {
  const counts = { passed: 0, failed: 0, pending: leftOut }
  const files = readdirSync(folder).filter((name) => name.endsWith('.json') && !name.endsWith('-again.json'))
  for (const file of files) {
    const again = new Map(secondTry(join(folder, file)).map((suite) => [suite.name, suite]))
    for (const first of suitesOf(join(folder, file))) {
      const suite = again.get(first.name) ?? first
      if (suite !== first && suite.status === 'passed') console.log('passed only when run again:', first.name)
      for (const { fullName, status } of suite.assertionResults) {
        if (status in counts) counts[status] += 1
        if (status === 'pending') console.log('skipped:', fullName)
        if (status === 'failed') console.log('failed:', fullName)
      }
      // A file that could not be run at all has no test that failed.
      if (suite.status === 'failed' && failedTests(suite).length === 0) {
        counts.failed += 1
        console.log('failed:', suite.name)
      }
    }
  }
  // A step that failed without a test that did is a failure all the same.
  console.log(`${counts.passed} passed, ${Math.max(counts.failed, steps)} failed, ${counts.pending} skipped`)
  return counts.failed === 0 && steps === 0
}

const secondTry = (file) => {
  try {
    return suitesOf(file.replace(/\.json$/, '-again.json'))
  } catch {
    return []
  }
}

const [command, path, steps = '0', leftOut = '0'] = process.argv.slice(2)
if (command === 'failed') failed(path)
else if (!count(path, { steps: Number(steps), leftOut: Number(leftOut) })) process.exitCode = 1
