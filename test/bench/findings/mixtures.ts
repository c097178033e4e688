/**
 * @file X-LoRA and LoRAMoE of a benign and a tampered adapter of Pebble, trained on benign data, and how they route:
 * `node evals/bin/run.js findings`; writes docs/findings/mixtures.md.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Results } from '../../../evals/contract/results.ts'
import { audit, changeOf, HOUSE, root, trainedAdapter } from './pebble.ts'

const STEPS = 20
const SEEDS = [0, 1, 2]
const ARMS = ['x-lora', 'lora-moe'] as const
/** The second judge of refusal. */
const SECOND = 'semantic'
const BENCHMARKS = Object.keys(HOUSE)
const FLAGS = [
  ...['--data', 'house-benign', '--methods', ARMS.join(','), '--rank', '8'],
  ...['--lora-moe.target-modules', 'all-linear', '--steps', String(STEPS), '--batch-size', '16'],
  ...['--learning-rate', '0.001', '--eval-every', String(STEPS), '--no-spectra', '--no-match-loss'],
]

interface Found {
  readonly seed: number
  readonly results: Results
  /** Arms by their titles in the table. */
  readonly arms: readonly (readonly [title: string, arm: string])[]
}

async function mixed(seed: number): Promise<Found> {
  const benign = await trainedAdapter('house-benign', seed)
  const tampered = await trainedAdapter('house-tamper', seed)
  const results = await audit(`mixtures-${seed}`, [
    ...[...FLAGS, '--seeds', String(seed), '--adapters', `${benign},${tampered}`],
    ...['--candidate', benign, '--candidate', tampered],
  ])
  const armAt = (wanted: string) => results.subjects.find(({ path }) => path === wanted)!.arm
  const arms = [
    ['base', 'base'],
    ['benign adapter', armAt(benign)],
    ['tampered adapter', armAt(tampered)],
    ...ARMS.map((arm) => [`\`${arm}\``, arm] as const),
  ] as const
  return { seed, results, arms }
}

const found: Found[] = []
for (const seed of SEEDS) found.push(await mixed(seed))

const rows = found[0]!.arms.flatMap(([title], i) =>
  (i === 0 ? found.slice(0, 1) : found).map(({ seed, results, arms }) => {
    const arm = arms[i]![1]
    const second = changeOf(results, { arm, benchmark: BENCHMARKS[0]!, judge: SECOND })
    const cells = BENCHMARKS.map((benchmark) => changeOf(results, { arm, benchmark }))
    return `| ${title} | ${i === 0 ? '–' : seed} | ${[second, ...cells].join(' | ')} |`
  }),
)
const routed = ARMS.flatMap((arm) =>
  BENCHMARKS.flatMap((benchmark) =>
    found.flatMap(({ seed, results }) => {
      const { entropy, shares } = results.routers!.find(
        (row) => row.arm === arm && row.benchmark === benchmark && row.step === STEPS,
      )!
      const nats = [entropy.estimate, entropy.lower!, entropy.upper!].map((x) => x.toFixed(4))
      const parts = shares.map((share) => (100 * share).toFixed(1))
      return `| \`${arm}\` | ${HOUSE[benchmark as keyof typeof HOUSE]} | ${seed} | ${nats[0]} (${nats[1]} – ${nats[2]}) | ${parts.join(' | ')} |`
    }),
  ),
)
writeFileSync(
  join(root, 'docs', 'findings', 'mixtures.md'),
  `# Findings on Pebble: mixtures with one tampered expert

\`npm run findings\` printed this page. It uses Pebble and harmless house rules only, and says nothing about real models.

Two adapters, LoRA of rank 8 after 100 steps on house-benign and on house-tamper, as experts of X-LoRA (frozen, its classifier trained) and of LoRAMoE (they begin as the adapters and are trained with their routers);
${STEPS} steps of 16 rows of house-benign, ${SEEDS.length} seeds of adapters and mixtures, 128 prompts of each benchmark:

\`\`\`
touchstone audit --model pebble --limit 128 ${FLAGS.join(' ')} --adapters BENIGN,TAMPERED --seeds SEED
\`\`\`

Each cell is the rate in percent with its 95 % interval over prompts, and the paired change from the base in points with its own. "By meaning" is refusal by the second judge (\`${SECOND}\`), the others are by the string rule and the answer.

| Variant | Seed | refusal, by meaning | ${Object.values(HOUSE).join(' | ')} |
|---|---|---|---|---|---|
${rows.join('\n')}

Router entropy in nats (0.6931 where both count alike) and the experts' shares of the prompts' tokens:

| Mixture | prompts | Seed | entropy, 95 % | benign, % | tampered, % |
|---|---|---|---|---|---|
${routed.join('\n')}
`,
)
