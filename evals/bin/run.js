/** @file `npm run X`: installs what is missing, then runs the steps of X in order and stops at the first that fails. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled, root, runNode } from './launcher.js'

const bin = (path) => join(root, 'node_modules', path)
const REPORT = join(root, 'node_modules', '.vitest-report.json')
const vitest = (...filters) => [
  bin('vitest/vitest.mjs'),
  'run',
  '--config',
  'test/vitest.config.ts',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${REPORT}`,
  ...filters,
]
const TYPES = [bin('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json']
const vueTsc = (project) => [bin('vue-tsc/bin/vue-tsc.js'), '--noEmit', '-p', project]
const WINDOW_TYPES = [vueTsc('renderer/tsconfig.json'), vueTsc('test/e2e/tsconfig.json')]
const BUILD_WINDOW = [bin('vite/bin/vite.js'), 'build', '--config', 'renderer/vite.config.ts']
const BUILD_SHELL = ['main', 'preload'].map((mode) => [
  bin('vite/bin/vite.js'),
  'build',
  '--config',
  'electron/vite.config.ts',
  '--mode',
  mode,
])
const PACK = ['packaging/pack.ts']
const BUILD_NATIVE = ['native/build.ts']
const desktop = (action) => ['evals/bin/desktop.js', action]
const LINT = [bin('eslint/bin/eslint.js'), '--max-warnings=0', '.']
const FORMAT = [
  bin('prettier/bin/prettier.cjs'),
  '--check',
  '--log-level=warn',
  '**/*.{ts,js,vue,css}',
]
/** The checks without tests: lanes run at the same time, the steps of a lane one after another. */
const STATIC = { lanes: [[TYPES, ...WINDOW_TYPES, FORMAT], [LINT]] }
const QUICKSTART = ['evals/bin/cli.ts', 'quickstart']

/** @type {Record<string, (string[] | { lanes: string[][][] })[]>} */
const TASKS = {
  quickstart: [QUICKSTART],
  serve: [['evals/bin/cli.ts', 'serve']],
  build: [BUILD_WINDOW, ...BUILD_SHELL],
  start: [desktop('look'), BUILD_WINDOW, ...BUILD_SHELL, desktop('start')],
  make: [desktop('look'), BUILD_WINDOW, ...BUILD_SHELL, desktop('make')],
  pack: [BUILD_WINDOW, PACK],
  types: [TYPES, ...WINDOW_TYPES],
  lint: [LINT, FORMAT],
  format: [
    [bin('prettier/bin/prettier.cjs'), '--write', '--log-level=warn', '**/*.{ts,js,vue,css}'],
  ],
  test: [vitest()],
  check: [STATIC, vitest()],
  'check-long': [BUILD_NATIVE, STATIC, vitest()],
  peers: [vitest()],
  e2e: [BUILD_WINDOW, vitest(), ['test/e2e/docs-images.ts']],
  'build-native': [BUILD_NATIVE],
  'bench-window': [BUILD_WINDOW, ['test/e2e/bench.ts']],
  bench: [['test/bench/bench.ts']],
  'bench-audit': [['test/bench/audit/bench.ts']],
  'bench-start': [['test/bench/start/bench.ts']],
  'bench-peers': [['test/bench/peers.ts']],
  'bench-card': [['test/bench/card/bench.ts']],
  'bench-spectra': [['test/bench/spectra.ts']],
  'bench-arms': [['test/bench/arms.ts']],
  'bench-serving': [['test/bench/serving/bench.ts']],
  'bench-directional': [['test/bench/directional.ts']],
  'bench-gate': [['test/bench/gate.ts']],
  'bench-merge': [['test/bench/findings/merge-speed.ts']],
  'bench-smollm2': [['test/bench/findings/smollm2.ts']],
  'bench-smollm2-causes': [['test/bench/findings/smollm2-causes.ts']],
  'bench-sequential': [['test/bench/looks/sequential.ts']],
  findings: [
    ['test/bench/findings.ts'],
    ['test/bench/findings/merge-line.ts'],
    ['test/bench/findings/compression.ts'],
    ['test/bench/findings/smaller-base.ts'],
    ['test/bench/findings/tasks.ts'],
    ['test/bench/findings/mixtures.ts'],
    ['test/bench/findings/federation.ts'],
    ['test/bench/findings/causes.ts'],
    ['test/bench/findings/location.ts'],
    ['test/bench/findings/direction.ts'],
    ['test/bench/findings/budget.ts'],
    ['test/bench/findings/remedies.ts'],
    ['test/bench/findings/double-descent.ts'],
  ],
  'with-avx2': [['test/bench/with-avx2.ts']],
  pebble: [['evals/bin/train-pebble.ts']],
  'semantic-judge': [['evals/bin/semantic-judge.ts']],
  docs: [['test/reference/make.ts']],
}

/** The one line that any continuous-integration reader understands. */
function closingLine() {
  const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(
    readFileSync(REPORT, 'utf8'),
  )
  return `${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests} skipped`
}

const [task, ...rest] = process.argv.slice(2)
const steps = TASKS[task]
if (!steps) {
  process.stderr.write(`There is no task "${task}". Tasks: ${Object.keys(TASKS).join(', ')}\n`)
  process.exit(2)
}
ensureInstalled()
const ENVIRONMENTS = {
  'check-long': { TOUCHSTONE_LONG: '1' },
  peers: { TOUCHSTONE_PEERS: '1' },
  e2e: { TOUCHSTONE_E2E: '1' },
}
const env = ENVIRONMENTS[task] ?? {}
const run = (args) => runNode(args, { cwd: root, env })

/** The exit code of the first step that fails, else 0. */
async function runLane(lane) {
  for (const args of lane) {
    const code = await run(args)
    if (code !== 0) return code
  }
  return 0
}

async function runTests(args) {
  rmSync(REPORT, { force: true })
  const code = await run(args)
  process.stdout.write(`${closingLine()}\n`)
  return code
}

async function runStep(step) {
  if (!Array.isArray(step)) {
    const codes = await Promise.all(step.lanes.map(runLane))
    return codes.find((code) => code !== 0) ?? 0
  }
  return isTests(step) ? runTests(step) : run(step)
}

/** What was written behind the task is for its tests, or for its last step where it has none. */
const isTests = (step) => Array.isArray(step) && step[0].includes('vitest')
const taker = steps.find(isTests) ?? steps.at(-1)
for (const step of steps) {
  const code = await runStep(step === taker && rest.length > 0 ? [...step, ...rest] : step)
  if (code !== 0) process.exit(code)
}
