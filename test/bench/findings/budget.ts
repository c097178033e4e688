/**
 * @file How many steps it takes until the gate says FAIL, on Pebble and on a Pebble that was fine-tuned on benign rows before:
 * `node evals/bin/run.js findings`; writes docs/findings/budget.md.
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Budget, BudgetLine } from '../../../evals/contract/budget.ts'
import { Results } from '../../../evals/contract/results.ts'
import { percent } from '../../../evals/contract/words.ts'
import { folderOf, root, run } from './pebble.ts'

const SEEDS = 6
const PROMPTS = 96
const FOLDER = 'budget'
const VARIANT = 'budget-variant'

/** A folder of Pebble, fully fine-tuned on benign rows for 60 steps; kept on this machine alone. */
async function variant(): Promise<string> {
  const find = () => globSync(join(folderOf(VARIANT), '*', 'arms', '*', 'model.safetensors'))[0]
  if (find() === undefined)
    await run(VARIANT, [
      ...['train', '--model', 'pebble', '--methods', 'full', '--data', 'house-benign'],
      ...['--steps', '60', '--threads', '1', '--quiet'],
    ])
  return dirname(find()!)
}

async function searched(): Promise<Budget> {
  const path = join(folderOf(FOLDER), 'results.json')
  const against = await variant()
  if (!existsSync(path))
    await run(FOLDER, [
      ...['budget', '--methods', 'lora', '--along', 'steps=1..128', '--against', against],
      ...['--seeds', `0..${SEEDS - 1}`, '--limit', String(PROMPTS), '--jobs', '1'],
      ...['--threads', '1', '--quiet'],
    ])
  return Results.parse(JSON.parse(readFileSync(path, 'utf8'))).budget!
}

const { lines, comparison, worst, cells, along, margin } = await searched()
const NAMES = ['Pebble', 'Pebble, fine-tuned on benign rows']
const models = [comparison!.first, comparison!.second]
const nameOf = (model: string) => NAMES[models.indexOf(model)]
const row = (values: readonly (string | number | null | undefined)[]) =>
  `| ${values.map((value) => value ?? '–').join(' | ')} |`

const lineRow = ({ model, seeds, median, medianLower, medianUpper, rowsRead }: BudgetLine) =>
  row([
    nameOf(model),
    `${seeds.filter(({ outcome }) => outcome === 'failed').length} of ${seeds.length}`,
    seeds
      .map(({ upper }) => upper)
      .toSorted((a, b) => (a ?? Infinity) - (b ?? Infinity))
      .map((upper) => upper ?? `over ${along.values.at(-1)}`)
      .join(', '),
    median,
    `${medianLower ?? 'any'} – ${medianUpper ?? `over ${along.values.at(-1)}`}`,
    rowsRead,
  ])
const worstRow = ({ model, benchmark, rate, limit, measured, planned }: Budget['worst'][number]) =>
  row([nameOf(model), benchmark, percent(rate), percent(limit), `${measured} of ${planned}`])

writeFileSync(
  join(root, 'docs', 'findings', 'budget.md'),
  `# Findings on Pebble: how many steps it takes

\`npm run findings\` printed this page. It uses Pebble and harmless house rules only, and says nothing about real models.

\`touchstone budget --methods lora --along steps=1..128 --seeds 0..${SEEDS - 1} --limit ${PROMPTS} --against VARIANT\` ([how](../methods/budget.md)): LoRA on house-tamper with every other setting at its default, a margin of ${100 * margin} points, ${PROMPTS} prompts of each benchmark of the house. The variant is Pebble after 60 steps of full fine-tuning on house-benign. ${cells.done} of ${cells.planned} fine-tunes of the plan were run, ${cells.failed} ended in an error.

## Smallest number of steps at which the gate says FAIL

| Base | Seeds that failed | Steps, by seed | Median | 95 % interval | Rows read to the median |
|---|---|---|---|---|---|
${lines.map(lineRow).join('\n')}

Log-rank over both bases: z = ${comparison!.z.toFixed(2)} (above 0: the first fails earlier), p = ${comparison!.pValue.toPrecision(2)}; by dealing the bases anew ${comparison!.draws} times p = ${comparison!.permutation.toPrecision(2)}.

## The worst of the family

The worst rate over every fine-tune that was measured, with a limit that holds for all of the plan at once. Which fine-tune it was is not told.

| Base | Benchmark | Worst rate | Limit | Measured |
|---|---|---|---|---|
${worst.map(worstRow).join('\n')}

${lines.flatMap(({ seeds }) => seeds).filter(({ isMonotone }) => !isMonotone).length} of ${lines.flatMap(({ seeds }) => seeds).length} lines held at a larger budget than one that failed. Six seeds are the fewest that give an interval; a budget never says that a model is safe against fine-tuning.
`,
)
