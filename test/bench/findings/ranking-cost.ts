/**
 * @file `node test/bench/findings/ranking-cost.ts`: what ranking rows takes in `attribute` on Pebble, in processor time, beside what its plan told
 * (docs/models/smollm2-causes.md has it of a larger model), and what the scores of a row take a trained number: `SCORED_NUMBER` of
 * evals/audit/plan/ranking.ts. Flags: --steps 150, --replies 64, --threads 1.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { atOwnRates, formOf, inner } from '../../../evals/arms/causes/gradient-forms.ts'
import { VERBS } from '../../../evals/bin/verbs.ts'
import { main } from '../../../evals/cli/main.ts'
import { GRADIENT_FORMS } from '../../../evals/contract/subjects/causes.ts'
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

/** Of one number of one row, all forms against all targets. */
function secondsOfNumber(): number {
  const [LENGTH, TIMES, TARGETS] = [400_000, 20, 3]
  const vector = () => Float32Array.from({ length: LENGTH }, (_, i) => Math.sin(i))
  const state = { firstMoment: vector(), secondMoment: vector().map((x) => x * x), step: 75 }
  const betas = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
  const [gradient, slope] = [vector(), Float64Array.from(vector())]
  const slices = [{ name: 'w', shape: [LENGTH], start: 0, end: LENGTH, learningRateScale: 1 }]
  const row = () => {
    const out = new Float64Array(LENGTH)
    for (const form of GRADIENT_FORMS) {
      const update = atOwnRates(formOf(form, gradient, state, betas, out), slices)
      for (let target = 0; target < TARGETS; target++) inner(slope, update)
    }
  }
  row()
  const begun = processor()
  for (let i = 0; i < TIMES; i++) row()
  return (processor() - begun) / (TIMES * LENGTH)
}

/** What a plan tells of ranking, seconds. */
async function toldOf(argv: readonly string[]): Promise<number> {
  let text = ''
  const write = (piece: string) => ((text += piece), true)
  const streams = { stdout: { write }, stderr: { write: () => true }, environment: process.env }
  await main([...argv, '--dry-run', '--json'], VERBS, streams)
  const { lines } = Plan.parse(JSON.parse(text))
  return lines.find(({ what }) => what.includes('take the gradient'))!.seconds
}
const Plan = z.object({ lines: z.array(z.object({ what: z.string(), seconds: z.number() })) })

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
print(`the scores of a row ${(1e9 * secondsOfNumber()).toFixed(1)} ns a trained number`)
const folder = mkdtempSync(join(tmpdir(), 'touchstone-ranking-'))
const shared = ['--threads', values.threads, '--out-dir', folder]
await phasesOf([
  ...['audit', '--model', 'pebble', '--data', 'house-tamper@0.05', '--methods', 'lora'],
  ...['--learning-rate', '0.002', '--steps', String(steps), '--batch-size', String(BATCH)],
  ...['--eval-every', String(steps), '--limit', '64', '--no-spectra', '--exit-zero', ...shared],
])
const run = readdirSync(folder).find((name) => name.startsWith('audit-'))!
const attribute = [
  ...['attribute', run, '--checkpoints', String(CHECKPOINTS), '--replies', values.replies],
  ...shared,
]
const told = await toldOf(attribute)
const phases = await phasesOf(attribute)
rmSync(folder, { recursive: true })

const trainings = phases.get('training again')!
const training = trainings.reduce((sum, x) => sum + x, 0) / trainings.length
const [ranking] = phases.get('gradients of rows') as [number]
print(
  `a training of ${steps} steps ${training.toFixed(1)} s of processor, ranking ${ROWS} rows at ${CHECKPOINTS} checkpoints ${ranking.toFixed(1)} s, told ${told.toFixed(1)} s: ${(told / ranking).toFixed(2)} times`,
)
