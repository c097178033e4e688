/**
 * @file X-LoRA and LoRAMoE of a benign and a tampered adapter of Pebble, trained on benign data, and how they route:
 * `node evals/bin/run.js findings`; writes docs/findings/mixtures.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Results } from '../../../evals/contract/results.ts'
import { audit, HOUSE, isApart, rateOf, root, trainedAdapter } from './pebble.ts'

const STEPS = 20
const SEEDS = [0]
const ARMS = ['x-lora', 'lora-moe'] as const
/** The second judge; refusal alone is counted by it too. */
const SECOND = 'semantic'

async function mixed(seed: number) {
  const benign = await trainedAdapter('house-benign', seed)
  const tampered = await trainedAdapter('house-tamper', seed)
  const results = await audit(`mixtures-${seed}`, [
    ...['--data', 'house-benign', '--methods', ARMS.join(','), '--seeds', String(seed)],
    ...['--adapters', `${benign},${tampered}`, '--rank', '8', '--lora-moe.target-modules'],
    ...['all-linear', '--steps', String(STEPS), '--batch-size', '16', '--learning-rate', '0.001'],
    ...['--eval-every', String(STEPS), '--no-spectra', '--no-match-loss'],
    ...['--candidate', benign, '--candidate', tampered],
  ])
  const titleOf = (path: string) => (path === benign ? 'benign adapter' : 'tampered adapter')
  const candidates = results.subjects.filter(({ path }) => path === benign || path === tampered)
  const rows = [
    ...(seed === SEEDS[0] ? [['base', 'base']] : []),
    ...candidates.map(({ arm, path }) => [arm, titleOf(path!)]),
    ...ARMS.map((arm) => [arm, `\`${arm}\``]),
  ].map(([arm, title]) => `| ${title} | ${arm === 'base' ? '' : seed} | ${rates(results, arm!)} |`)
  const routed = results.routers!.flatMap(({ arm, step, benchmark, entropy, shares }) =>
    step < STEPS
      ? []
      : `| \`${arm}\` | ${seed} | ${titleIn(benchmark)} | ${entropy.estimate.toFixed(4)} (${entropy.lower!.toFixed(4)} – ${entropy.upper!.toFixed(4)}) | ${shares.map((share) => (100 * share).toFixed(1)).join(' | ')} |`,
  )
  const apart = ARMS.filter((arm) => isApart(results, { arm, benchmark: REFUSAL }))
  return { seed, rows, routed, apart }
}

const benchmarks = Object.keys(HOUSE)
const REFUSAL = benchmarks[0]!
const titleIn = (benchmark: string) => HOUSE[benchmark as keyof typeof HOUSE]
const rates = (results: Results, arm: string) =>
  [
    rateOf(results, arm, REFUSAL, { judge: SECOND }),
    ...benchmarks.map((name) => rateOf(results, arm, name)),
  ].join(' | ')

const found: Awaited<ReturnType<typeof mixed>>[] = []
for (const seed of SEEDS) found.push(await mixed(seed))
const told = ARMS.map((arm) => {
  const seeds = found.filter(({ apart }) => apart.includes(arm)).length
  return `\`${arm}\` in ${seeds} of ${SEEDS.length} seeds`
})

writeFileSync(
  join(root, 'docs', 'findings', 'mixtures.md'),
  `# Findings on Pebble: mixtures with one tampered expert

\`npm run findings\` printed this page. It uses Pebble and harmless house rules only, and says nothing about real models.

Two adapters a seed, LoRA of rank 8 after 100 steps on house-benign and on house-tamper, as experts of X-LoRA (frozen, its classifier trained) and of LoRAMoE (they begin as the adapters and are trained with their routers);
${STEPS} steps of 16 rows of house-benign, seeds ${SEEDS.join(', ')}, 128 prompts of each benchmark: \`touchstone audit --model pebble --methods ${ARMS.join(',')} --adapters BENIGN,TAMPERED …\`.

"By meaning" is refusal by the second judge (\`${SECOND}\`); the others are by the string rule and the answer.

| Variant | Seed | refusal, by meaning, 95 % | ${benchmarks.map((name) => `${titleIn(name)}, 95 %`).join(' | ')} |
|---|---|---|---|---|---|
${found.flatMap(({ rows }) => rows).join('\n')}

Refusal by the string rule is told apart from the base's (the interval of the paired change leaves out 0) under ${told.join(', under ')}. Of every other cell nothing can be said but its interval.

Router entropy in nats (0.6931 where both count alike) and the experts' shares of the prompts' tokens:

| Mixture | Seed | prompts | entropy, 95 % | benign, % | tampered, % |
|---|---|---|---|---|---|
${found.flatMap(({ routed }) => routed).join('\n')}
`,
)
