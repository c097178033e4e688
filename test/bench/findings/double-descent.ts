/**
 * @file What fine-tuning methods do to a peak of the test error over rank, what lies beside it, what a step costs, and whether refusal
 * has a peak: `node evals/bin/run.js findings`; writes a page of findings in docs, figures and results. Every sweep goes through the
 * command into a kept folder, where the cells that are kept with the repository lie already, so that a cell that is done is never run
 * again. Flags: --only PART,PART (all if absent; of the others the page keeps what was printed before, or names them), --jobs N, --anew
 * (runs the kept cells too), --as-is (runs none).
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { format } from 'prettier'
import type { Sweep } from '../../../evals/contract/sweeps.ts'
import { unknownName } from '../../../evals/errors/names.ts'
import { isDone, keep, restore, tested, type Tested } from './descent/kept-cells.ts'
import { capacityTable, capacityTests } from './descent/capacity.ts'
import { growthTable, noiseTable } from './descent/noise.ts'
import { courseTable, ratesTable } from './descent/rates.ts'
import { beside, claims, decayTable, linesTable, peakSentences, tableOf } from './descent/tables.ts'
import { costs } from './method-costs.ts'
import { folderOf, root, run } from './pebble.ts'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    anew: { type: 'boolean', default: false },
    'as-is': { type: 'boolean', default: false },
  },
})
const BED = ['--testbed', 'digits-tuned']
/** Ranks below, at and above the peak, and some of the preset's seeds, where the grid is wide. */
const PEAK = ['--axis', 'rank=2,4,16']
const FEW = ['--seeds', '10..17', ...PEAK]
const FEWER = ['--seeds', '10..15', ...PEAK]
const DECAYS = [0.3, 1]
const [SIGMA, STRONG_SIGMA, FAR] = ['0.1', '0.3', '0.2']
const SIGMAS = ['--ggpo.sigma', SIGMA, '--strong.sigma', STRONG_SIGMA]
const even = (sigma: string) => ['--even.sigma', sigma, '--even.shape', 'isotropic']

const SWEEPS = {
  methods: ['--preset', 'lora-ggpo'],
  decay: [
    ...[...BED, ...FEW, '--methods', 'lora'],
    ...['--axis', `weight-decay=${DECAYS.join(',')}`],
  ],
  strengths: [
    ...[...BED, ...FEW, '--methods', 'lora,ggpo,strong=ggpo,even=ggpo,mgpo,far=mgpo'],
    ...[...SIGMAS, ...even(STRONG_SIGMA), '--far.rho', FAR],
  ],
  rates: [
    ...[...BED, ...FEWER, '--methods', 'lora,ggpo,strong=ggpo,mgpo', ...SIGMAS],
    ...['--axis', 'learning-rate=0.001,0.004'],
  ],
  noise: ['--preset', 'double-descent-digits', '--axis', 'label-noise=0,0.1,0.2,0.4'],
  widths: [
    ...['--preset', 'double-descent-digits'],
    ...['--axis', 'width=1,2,4,8,12,16,24,32,64,128,256,512'],
  ],
  epochs: ['--preset', 'double-descent-digits', '--axis', 'epochs=10000'],
  transformer: ['--preset', 'double-descent-transformer'],
  adapters: ['--preset', 'double-descent-transformer-lora'],
  pebble: ['--preset', 'pebble-noise'],
  refusal: ['--preset', 'refusal'],
} as const
type Name = keyof typeof SWEEPS
const NAMES = Object.keys(SWEEPS) as Name[]
/** Folders of those that share cells: LoRA, GGPO and MGPO at the preset's rate, and widths at 20 % noise. */
const FOLDERS: Partial<Record<Name, string>> = {
  methods: 'double-descent',
  strengths: 'double-descent',
  widths: 'descent-noise',
}
/** What weight decay is held against. */
const FIRST: Name = 'methods'
/** The part that times steps. */
const COSTS = 'costs'
const KNOWN = [...NAMES, COSTS]
const asked = flags.only?.split(',') ?? KNOWN
for (const name of asked)
  if (!KNOWN.some((known) => known === name)) throw unknownName('part', name, KNOWN)
const chosen = NAMES.filter((name) => name === FIRST || asked.includes(name))
/** Figures in docs. */
const PICTURES: Partial<Record<Name, string>> = {
  methods: 'lora-ggpo',
  widths: 'double-descent-digits-widths',
  epochs: 'double-descent-digits-10000',
  transformer: 'double-descent-transformer',
  refusal: 'refusal',
}

async function swept(name: Name): Promise<Tested> {
  // One process writes to a folder at a time.
  const folder = FOLDERS[name] ?? `descent-${name}`
  const [argv, path] = [SWEEPS[name], folderOf(folder)]
  if (!flags.anew) await restore(name, argv, path)
  if (!flags['as-is'] && !(await isDone(argv, path))) {
    const picture = PICTURES[name]
    const drawn =
      picture === undefined ? [] : ['-o', join(root, 'docs', 'images', `${picture}.svg`)]
    await run(folder, ['sweep', ...argv, '--jobs', flags.jobs, '--exit-zero', '--quiet', ...drawn])
  }
  await keep(name, argv, path)
  return tested(argv, path)
}

const command = (name: Name) => `\`touchstone sweep ${SWEEPS[name].join(' ')}\``
const found = new Map<Name, Tested>()
for (const name of chosen) found.set(name, await swept(name))

const TITLES: Readonly<Record<Name, string>> = {
  methods: 'What the methods do to the peak',
  decay: 'Weight decay',
  strengths: 'Stronger perturbation',
  rates: 'Other learning rates',
  noise: 'Does the peak grow with label noise?',
  widths: 'From one hidden unit to 512',
  epochs: 'Ten thousand epochs',
  transformer: 'A small transformer over width',
  adapters: 'LoRA on a small transformer',
  pebble: 'LoRA on Pebble, with noisy replies',
  refusal: 'Does refusal have one?',
}

const onOneBed = (
  name: Name,
  sweep: Sweep,
  axis: string,
) => `${command(name)}: ${sweep.cells.length} of ${found.get(name)!.planned} cells. Medians over the seeds (lowest–highest):

${capacityTable(sweep, axis)}

${capacityTests(sweep, axis)}`

const parts: Readonly<Record<Name, (sweep: Sweep) => string>> = {
  methods: (sweep) => `![Test error over rank](../images/lora-ggpo.svg)

${command('methods')}: ${sweep.cells.length} cells. Median test error over the seeds, %, with the median training error in brackets:

${linesTable(sweep)}

Is there a peak over rank?

${peakSentences(sweep)}

Height, place and area of the peak, test error in points, each line against another over the same seeds (difference / lower / upper). The outcome is that of the height, by Holm over the rows:

${claims(sweep)}

## What lies beside it

Medians over the seeds; λ and trace are those of the Hessian of the training loss in the adapted matrix.

${['lora', 'ggpo', 'mgpo'].map((line) => `\`${line}\`:\n\n${beside(sweep, line)}`).join('\n\n')}`,
  decay: (
    sweep,
  ) => `${command('decay')}: ${sweep.cells.length} cells. Their peaks against those of LoRA without decay over the same seeds and ranks:

${decayTable(sweep, found.get(FIRST)!.sweep, DECAYS)}`,
  strengths: (sweep) => `${command('strengths')}: ${sweep.cells.length} cells.

${linesTable(sweep)}

${claims(sweep)}`,
  rates: (sweep) => `${command('rates')}: ${sweep.cells.length} cells; the preset’s rate is 0.002.

${peakSentences(sweep)}

${claims(sweep)}`,
  noise: (
    sweep,
  ) => `${command('noise')}: ${sweep.cells.length} of ${found.get('noise')!.planned} cells; where fewer than 20 seeds are done, their number stands behind. Median test error over the seeds, %, with the median training error in brackets, and the first width at which every row is fitted in half of the seeds:

${noiseTable(sweep, 'width')}

${peakSentences(sweep, 'width')}

The height of the peak in points of the test error, over the seeds that have every width; larger noise holds the wrong labels of a smaller one:

${growthTable(sweep, 'width')}`,
  widths: (sweep) => `![Test error over width](../images/double-descent-digits-widths.svg)

${onOneBed('widths', sweep, 'width')}`,
  epochs: (sweep) => `![Test error over width and epochs](../images/double-descent-digits-10000.svg)

${onOneBed('epochs', sweep, 'width')}`,
  transformer: (sweep) => `![Test error over width](../images/double-descent-transformer.svg)

${onOneBed('transformer', sweep, 'width')}`,
  adapters: (sweep) => onOneBed('adapters', sweep, 'rank'),
  pebble: (
    sweep,
  ) => `A reply counts as learnt where the model gives it more than half of the probability; training rows have their noise, and the test is on held-out rows of the data, which have none.

${onOneBed('pebble', sweep, 'rank')}`,
  refusal: (sweep) => `![Rates along the training](../images/refusal.svg)

${command('refusal')}: ${sweep.cells.length} cells of Pebble, fine-tuned on house-tamper. The rates at steps of the training, medians over the seeds (lowest–highest), %:

${['house-refusal', 'house-overrefusal', 'house-capability']
  .map((metric) => `\`${metric}\`\n\n${ratesTable(sweep, metric)}`)
  .join('\n\n')}

Each curve is tested for an inner peak and for an inner low. It is called monotone where neither is seen although one of two standard deviations between seeds would be found more often than not; the change is that from the lowest rank to the highest, and along a training from the base to the end. Where the seeds do not differ, as at 100 %, nothing is tested:

${courseTable(sweep)}`,
}

/** What the tests rest on, without what can be simulated again. */
function kept({ cells, summaries, descents, comparisons, thresholds, sight }: Sweep, name: Name) {
  const isOfTable = ({ metric }: { metric: string }) => /-error$|^house/u.test(metric)
  return {
    command: command(name),
    cells: cells.length,
    summaries: summaries.filter(isOfTable),
    descents: descents.filter(isOfTable).map(({ power: _, without: __, ...row }) => row),
    comparisons: comparisons?.filter(isOfTable),
    ...{ thresholds, sight },
  }
}

const COSTS_TITLE = 'What a step costs'
const PAGE = join(root, 'docs', 'findings', 'double-descent.md')
const RESULTS = join(root, 'test', 'bench', 'results', 'double-descent-methods.json')

/** What was printed before under the title of a part. */
function printedBefore(): Map<string, string> {
  const sections = readFileSync(PAGE, 'utf8').split(/^## /mu).slice(1)
  return new Map(sections.map((text) => [text.slice(0, text.indexOf('\n')), text.trim()]))
}

async function publish(): Promise<void> {
  const before = printedBefore()
  const textOf = (name: Name) => {
    const own = found.get(name)
    return own ? `${TITLES[name]}\n\n${parts[name](own.sweep)}` : before.get(TITLES[name])
  }
  const texts = NAMES.flatMap((name) => textOf(name) ?? [])
  const missing = NAMES.filter((name) => textOf(name) === undefined)
  const page = `# Double descent: findings

\`npm run findings\` printed this page (test/bench/findings/double-descent.ts). The bed and the tests are described in [double-descent.md](../methods/double-descent.md); the settings of the presets were fixed by pilots on other seeds, and the grids of strengths, rates, decays and noise were written down before their cells were run.

${texts.map((text) => `## ${text}`).join('\n\n')}
${missing.length === 0 ? '' : `\n## Not run\n\n${missing.map((name) => `- ${command(name)}`).join('\n')}\n`}
## ${asked.includes(COSTS) ? `${COSTS_TITLE}\n\n${await costs(tableOf)}` : before.get(COSTS_TITLE)}
`
  const style = { parser: 'markdown', proseWrap: 'always', printWidth: 100 } as const
  writeFileSync(PAGE, await format(page, style))
  const results = {
    ...(JSON.parse(readFileSync(RESULTS, 'utf8')) as object),
    ...Object.fromEntries([...found].map(([name, { sweep }]) => [name, kept(sweep, name)])),
  }
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 1)}\n`)
}
await publish()
