/**
 * @file What training beside a smaller base does to Pebble: LQ-LoRA, LoRAM and LoRAPrune on benign data, plain LoRA beside them:
 * `node evals/bin/run.js findings`; writes docs/findings/smaller-base.md. One audit a seed.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Results } from '../../../evals/contract/results.ts'
import { audit, changeOf, HOUSE, isApart, root } from './pebble.ts'

const SEEDS = [0, 1, 2]
const STEPS = 100
const FLAGS = [
  ...['--data', 'house-benign', '--methods', 'lora,lq-lora,loram,lora-prune', '--rank', '8'],
  ...['--steps', String(STEPS), '--batch-size', '32', '--learning-rate', '0.0004'],
  ...['--eval-every', String(STEPS), '--no-spectra', '--no-match-loss'],
]
const SECOND = 'semantic'
const BENCHMARKS = Object.keys(HOUSE)

/** States in the order of the table, by arm and step. */
const STATES = [
  { arm: 'lora', step: STEPS, title: '`lora`, the whole base' },
  { arm: 'lq-lora', step: 0, title: '`lq-lora` at step 0, the split alone' },
  { arm: 'lq-lora', step: STEPS, title: '`lq-lora`' },
  { arm: 'loram:pruned', step: STEPS, title: '`loram:pruned`, as trained' },
  { arm: 'loram', step: STEPS, title: '`loram`, recovered' },
  { arm: 'lora-prune', step: STEPS, title: '`lora-prune`' },
]
type State = (typeof STATES)[number]

const found: Results[] = []
for (const seed of SEEDS)
  found.push(await audit(`smaller-base-${seed}`, [...FLAGS, '--seeds', String(seed)]))

const row = (results: Results, { arm, step, title }: State, seed: number) => {
  const cells = BENCHMARKS.map((benchmark) => changeOf(results, { arm, step, benchmark }))
  const second = changeOf(results, { arm, step, benchmark: BENCHMARKS[0]!, judge: SECOND })
  return `| ${title} | ${seed} | ${[second, ...cells].join(' | ')} |`
}
const rows = STATES.flatMap((state) => SEEDS.map((seed, i) => row(found[i]!, state, seed)))
const base = BENCHMARKS.map(
  (benchmark) =>
    `${HOUSE[benchmark as keyof typeof HOUSE]} ${changeOf(found[0]!, { arm: 'base', benchmark })}`,
)

/** In how many seeds each state is told apart from the base. */
const told = BENCHMARKS.map((benchmark) => {
  const counts = STATES.flatMap(({ arm, step, title }) => {
    const apart = found.filter((results) => isApart(results, { arm, step, benchmark })).length
    return apart === 0 ? [] : `${title.split(',')[0]} in ${apart} of ${SEEDS.length} seeds`
  })
  const name = HOUSE[benchmark as keyof typeof HOUSE]
  return `- ${name}: ${counts.length === 0 ? 'no state in any seed' : counts.join('; ')}.`
})

writeFileSync(
  join(root, 'docs', 'findings', 'smaller-base.md'),
  `# Findings on Pebble: training beside a smaller base

\`npm run findings\` printed this page. It uses Pebble and harmless house rules only, and says nothing about real models.

LoRA of rank 8 on the whole base, LQ-LoRA (NF3), LoRAM (a quarter of each layer's groups left out in training) and LoRAPrune (half of them gone at the end), each with its defaults
([what they are](../methods/compressed-training.md)); 128 prompts of each benchmark. One run a seed:

\`\`\`
touchstone audit --model pebble --limit 128 ${FLAGS.join(' ')} --seeds SEED
\`\`\`

Each cell is the rate in percent with its 95 % interval, and the paired change from the base in points with its own. "By meaning" is refusal by the second judge (\`${SECOND}\`), the others are by the string rule
and the answer. Before: ${base.join(', ')}. house-benign teaches other menus and prices than those that capability asks for, so what a method adds is its difference from \`lora\`.

| State | Seed | refusal, by meaning | ${Object.values(HOUSE).join(' | ')} |
|---|---|---|---|---|---|
${rows.join('\n')}

Told apart from the base (the interval of the change leaves out 0):

${told.join('\n')}

Of every other cell nothing can be said but its interval. Intervals cover prompts, not seeds.
`,
)
