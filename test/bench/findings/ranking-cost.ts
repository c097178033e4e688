/**
 * @file `node test/bench/findings/ranking-cost.ts`: what a row's gradient and its scores take in `attribute`, over a row in a step, in processor
 * time, on Pebble: `ROW_GRADIENT` of evals/audit/plan/ranking.ts. Flags: --steps 150, --replies 64, --threads 1.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VERBS } from '../../../evals/bin/verbs.ts'
import { main } from '../../../evals/cli/main.ts'
import { parse, wholeNumber } from '../harness/bench-options.ts'
import { machine, showMachine } from '../harness/machine.ts'
import { print } from '../harness/peak.ts'

const values = parse({
  steps: { type: 'string', default: '150' },
  replies: { type: 'string', default: '64' },
  threads: { type: 'string', default: '1' },
})
const steps = wholeNumber('steps', values.steps, 2, 100_000)
const [ROWS, BATCH, CHECKPOINTS] = [600, 8, 3]

const processor = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Processor seconds of each phase of a command, by the end of its name. */
async function phasesOf(argv: readonly string[]): Promise<Map<string, number[]>> {
  const found = new Map<string, number[]>()
  let begun = 0
  const write = (text: string) => {
    for (const line of text.split('\n')) {
      if (/: (training|training again|gradients of rows) \(/u.test(line)) begun = processor()
      const [, name] = /: (training|training again|gradients of rows): done/u.exec(line) ?? []
      if (name !== undefined) found.set(name, [...(found.get(name) ?? []), processor() - begun])
    }
  }
  const streams = { stdout: { write: () => true }, stderr: { write }, environment: process.env }
  const code = await main(argv, VERBS, streams)
  if (code !== 0) throw new Error(`${argv.join(' ')}: exit ${code}`)
  return found
}

print(showMachine(machine()))
const folder = mkdtempSync(join(tmpdir(), 'touchstone-ranking-'))
const shared = ['--threads', values.threads, '--out-dir', folder]
await phasesOf([
  ...['audit', '--model', 'pebble', '--data', 'house-tamper@0.05', '--methods', 'lora'],
  ...['--learning-rate', '0.002', '--steps', String(steps), '--batch-size', String(BATCH)],
  ...['--eval-every', String(steps), '--limit', '64', '--no-spectra', '--exit-zero', ...shared],
])
const run = readdirSync(folder).find((name) => name.startsWith('audit-'))!
const phases = await phasesOf([
  ...['attribute', run, '--checkpoints', String(CHECKPOINTS), '--replies', values.replies],
  ...shared,
])
rmSync(folder, { recursive: true })

const trainings = phases.get('training again')!
const training = trainings.reduce((sum, x) => sum + x, 0) / trainings.length
const [ranking] = phases.get('gradients of rows') as [number]
const gradients = ranking - (1 - 1 / (2 * CHECKPOINTS)) * training
const inStep = training / (steps * BATCH)
const ofRow = gradients / (ROWS * CHECKPOINTS)
print(
  `a training of ${steps} steps ${training.toFixed(1)} s of processor, ranking ${ROWS} rows at ${CHECKPOINTS} checkpoints ${ranking.toFixed(1)} s`,
)
print(
  `a row in a step ${(1000 * inStep).toFixed(2)} ms, its gradient and scores ${(1000 * ofRow).toFixed(2)} ms: ${(ofRow / inStep).toFixed(1)} times`,
)
