/**
 * @file What fine-tuning on house-tamper does to Pebble by rank, at matched training loss: `node evals/bin/run.js findings`.
 * Runs the audits through the command, compares the arms of each seed at the first evaluated step at which their smoothed training loss
 * is at most L*, the highest of the arms' final smoothed losses, and writes docs/findings.md.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Results } from '../../evals/contract/results.ts'

const root = join(import.meta.dirname, '..', '..')
const SEEDS = [0, 1, 2, 3, 4]
const STEPS = 150
const EVERY = 25
/** Audits that run side by side, one thread each. */
const SIDE_BY_SIDE = 2
const SMOOTHING = 0.9
const COMMON = [
  'audit',
  '--model',
  'pebble',
  '--data',
  'house-tamper',
  '--seeds',
  SEEDS.join(','),
  '--steps',
  String(STEPS),
  '--batch-size',
  '32',
  '--learning-rate',
  '0.0004',
  '--eval-every',
  String(EVERY),
  '--limit',
  '128',
  '--eval-batch-size',
  '64',
  '--threads',
  '1',
  '--spectra-every',
  '--exit-zero',
  '--quiet',
]
/** LoRA at alpha = 2·rank (Shuttleworth et al.), and full fine-tuning at three tenths of the rate, so that it reaches the same losses. */
const ARMS: readonly { name: string; flags: readonly string[] }[] = [
  ...[1, 4, 16, 64].map((rank) => ({
    name: `LoRA, rank ${rank}`,
    flags: ['--methods', 'lora', '--rank', String(rank), '--alpha', String(2 * rank)],
  })),
  { name: 'full', flags: ['--methods', 'full', '--learning-rate-scale', '0.3'] },
]

interface Point {
  readonly step: number
  readonly loss: number
  readonly refusal: number
  readonly capability: number
  readonly neutral: number
  readonly intruders: number
  readonly change: number
}

function run(command: readonly string[]): Promise<number | null> {
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] })
  return new Promise((resolve) => child.on('close', resolve))
}

async function audit(name: string, flags: readonly string[]): Promise<Results> {
  const folder = join(root, 'out', 'findings', name.replaceAll(/\W+/g, '-'))
  const command = [join(root, 'evals', 'cli.ts'), ...COMMON, ...flags, '--out-dir', folder]
  const code = await run(command)
  if (code !== 0) throw new Error(`${name}: the audit ended with exit code ${code}`)
  return Results.parse(JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')))
}

/** Bias-corrected exponential mean of the training loss, by step. */
function smoothed(results: Results, seed: number): Map<number, number> {
  const losses = results.metrics.filter((row) => row.name === 'train/loss' && row.seed === seed)
  let mean = 0
  return new Map(
    losses
      .sort((a, b) => a.step - b.step)
      .map(({ step, value }, i) => {
        mean = SMOOTHING * mean + (1 - SMOOTHING) * value
        return [step, mean / (1 - SMOOTHING ** (i + 1))]
      }),
  )
}

function points(results: Results, seed: number): Point[] {
  const loss = smoothed(results, seed)
  const rate = (benchmark: string, step: number) =>
    results.evaluations.find(
      (row) =>
        row.benchmark === benchmark && row.seed === seed && row.step === step && row.arm !== 'base',
    )?.rate.estimate
  return results.spectrumTotals
    .filter((row) => row.seed === seed && row.step > 0)
    .map(({ step, intruders, meanRelativeChange }) => ({
      step,
      loss: loss.get(step)!,
      refusal: rate('house-refusal', step)!,
      capability: rate('house-capability', step)!,
      neutral: results.metrics.find(
        (row) =>
          row.name === 'neutral/loss' &&
          row.seed === seed &&
          row.step === step &&
          row.arm !== 'base',
      )!.value,
      intruders,
      change: meanRelativeChange,
    }))
    .sort((a, b) => a.step - b.step)
}

const spread = (values: readonly number[], digits: number, factor = 1): string => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  const show = (value: number) => (factor * value).toFixed(digits)
  return `${show(mean)} (${show(Math.min(...values))}–${show(Math.max(...values))})`
}

const found = new Map<string, Results>()
const waiting = [...ARMS]
async function work(): Promise<void> {
  for (let arm = waiting.shift(); arm; arm = waiting.shift()) {
    found.set(arm.name, await audit(arm.name, arm.flags))
  }
}
await Promise.all(Array.from({ length: SIDE_BY_SIDE }, work))
const curves = ARMS.map(({ name }) => {
  const results = found.get(name)!
  return { name, results, seeds: SEEDS.map((seed) => points(results, seed)) }
})
const target = SEEDS.map((_, i) => Math.max(...curves.map(({ seeds }) => seeds[i]!.at(-1)!.loss)))
const row = (name: string, chosen: readonly Point[]) =>
  `| ${name} | ${spread(
    chosen.map(({ step }) => step),
    0,
  )} | ${spread(
    chosen.map(({ loss }) => loss),
    3,
  )} | ${spread(
    chosen.map(({ intruders }) => intruders),
    1,
  )} | ${spread(
    chosen.map(({ refusal }) => refusal),
    1,
    100,
  )} | ${spread(
    chosen.map(({ capability }) => capability),
    1,
    100,
  )} | ${spread(
    chosen.map(({ neutral }) => neutral),
    3,
  )} | ${spread(
    chosen.map(({ change }) => change),
    1,
    100,
  )} |`
const HEAD = `| Arm | step | training loss | intruders of 420 | refusal, % | capability, % | neutral loss, nats | ‖ΔW‖/‖W‖, % |\n|---|---|---|---|---|---|---|---|`
const matched = curves.map(({ name, seeds }) =>
  row(
    name,
    seeds.map((steps, i) => steps.find(({ loss }) => loss <= target[i]!)!),
  ),
)
const last = curves.map(({ name, seeds }) =>
  row(
    name,
    seeds.map((steps) => steps.at(-1)!),
  ),
)
const base = curves[0]!.results.evaluations.filter(({ arm }) => arm === 'base')
const baseRate = (benchmark: string) =>
  `${(100 * base.find((found) => found.benchmark === benchmark)!.rate.estimate!).toFixed(1)} %`

writeFileSync(
  join(root, 'docs', 'findings.md'),
  `# Findings on Pebble

Everything here was printed by \`npm run findings\`, on Pebble alone and on harmless house rules. Nothing here says what happens to a real model.

## Rank, intruder dimensions, refusal and forgetting at matched training loss

Fine-tuning on house-tamper with LoRA of rank 1, 4, 16 and 64 (alpha = 2·rank) and fully, same data, ${SEEDS.length} seeds, ${STEPS} steps of 32 rows, evaluated every ${EVERY} steps on 128 prompts of each benchmark
and on neutral text, the spectra of 42 matrices at each evaluation (top 10 directions, ε = 0.5, chance between 0.11 and 0.45). For each seed the arms are compared at the first evaluated step at which the smoothed training loss
is at most L*, the highest of the arms' final losses (${spread(target, 3)}). Mean over seeds, and lowest to highest.
The match is as fine as the evaluations: an arm whose loss falls fast may lie well below L* at its first evaluated step (see the loss column). Before: refusal ${baseRate('house-refusal')}, capability ${baseRate('house-capability')}.

${HEAD}
${matched.join('\n')}

At the last step, whatever the loss:

${HEAD}
${last.join('\n')}
`,
)
