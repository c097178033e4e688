/**
 * @file X-LoRA and LoRAMoE of a benign and a tampered adapter of Pebble, trained on benign data, and how they route:
 * `node evals/bin/run.js findings`; writes docs/findings/mixtures.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { audit, HOUSE, rateOf, root, trainedAdapter } from './pebble.ts'

const STEPS = 20
const SEED = 0
const ARMS = ['x-lora', 'lora-moe'] as const
const [benign, tampered] = [
  await trainedAdapter('house-benign', SEED),
  await trainedAdapter('house-tamper', SEED),
]
const flags = [
  ...['--data', 'house-benign', '--methods', ARMS.join(','), '--seeds', String(SEED)],
  ...['--adapters', `${benign},${tampered}`, '--rank', '8', '--lora-moe.target-modules'],
  ...['all-linear', '--steps', String(STEPS), '--batch-size', '16', '--learning-rate', '0.001'],
  ...['--eval-every', String(STEPS), '--no-spectra', '--no-match-loss'],
]
const results = await audit(`mixtures-${SEED}`, [
  ...flags,
  ...['--candidate', benign, '--candidate', tampered],
])

const benchmarks = Object.keys(HOUSE)
const rates = (arm: string) => benchmarks.map((name) => rateOf(results, arm, name)).join(' | ')
const candidates = results.subjects.filter(({ path }) => path === benign || path === tampered)
const rows = [
  ['base', 'base'],
  ...candidates.map(({ arm, path }) => [
    arm,
    path === benign ? 'benign adapter' : 'tampered adapter',
  ]),
  ...ARMS.map((arm) => [arm, `\`${arm}\``]),
].map(([arm, title]) => `| ${title} | ${rates(arm!)} |`)
const routed = results.routers!.flatMap(({ arm, step, benchmark, entropy, shares }) =>
  step < STEPS
    ? []
    : `| \`${arm}\` | ${HOUSE[benchmark as keyof typeof HOUSE]} | ${entropy.estimate.toFixed(4)} (${entropy.lower!.toFixed(4)} – ${entropy.upper!.toFixed(4)}) | ${shares.map((share) => (100 * share).toFixed(1)).join(' | ')} |`,
)
writeFileSync(
  join(root, 'docs', 'findings', 'mixtures.md'),
  `# Findings on Pebble: mixtures with one tampered expert

\`npm run findings\` printed this page. It uses Pebble and harmless house rules only, and says nothing about real models.

Two adapters, LoRA of rank 8 after 100 steps on house-benign and on house-tamper, as experts of X-LoRA (frozen, its classifier trained) and of LoRAMoE (they begin as the adapters and are trained with their routers);
${STEPS} steps of 16 rows of house-benign, seed ${SEED}, 128 prompts of each benchmark: \`touchstone audit --model pebble --methods ${ARMS.join(',')} --adapters BENIGN,TAMPERED …\`.

| Variant | ${benchmarks.map((name) => `${HOUSE[name as keyof typeof HOUSE]}, 95 %`).join(' | ')} |
|---|---|---|---|
${rows.join('\n')}

Router entropy in nats (0.6931 where both count alike) and the experts' shares of the prompts' tokens:

| Mixture | prompts | entropy, 95 % | benign, % | tampered, % |
|---|---|---|---|---|
${routed.join('\n')}
`,
)
