/** @file A task: what its base knows, what is learnt, where its rows come from, and a picture of one part with its table. */
import type { Block, Section } from '../../../contract/document.ts'
import type { HeatMap } from '../../../contract/document/charts.ts'
import { isBase } from '../../../contract/keys.ts'
import type { CategoryRate, Results } from '../../../contract/results.ts'
import type { TaskContent, TaskPart } from '../../../contract/tasks/task-rows.ts'
import { percent, stateName } from '../../../contract/words.ts'
import { label, number, paragraph, section, table } from '../../blocks.ts'
import { atLastStep, fixed, intervalText, rateText, trainedArms } from '../../view.ts'

/** What each part is a rate of, and which way is good. */
const PARTS: Readonly<Record<TaskPart, string>> = {
  gain: 'share of rows told right of what is learnt; higher is better',
  retention: 'share of rows told right of what the base knew; a fall is forgetting',
  shift: 'the same under a shift; a fall is lost robustness',
}

export function taskSection(results: Results): Section[] {
  const task = results.artifacts.flatMap(({ content }) =>
    content?.kind === 'task' ? content : [],
  )[0]
  if (!task) return []
  const titles = new Map(results.benchmarks.map(({ name, title }) => [name, title]))
  const { title, paper, about, base, data, parts } = task
  return section(
    `Task: ${title}`,
    paragraph(
      `${about} A minimal re-implementation on small data (${paper}), not the paper’s numbers.`,
    ),
    {
      type: 'facts',
      rows: [
        ['Base', base],
        ['Rows', data.source],
        ['Licence', data.licence],
        ...parts.map(({ part, benchmark }): [string, string] => [
          titles.get(benchmark) ?? benchmark,
          `${part}: ${PARTS[part]}`,
        ]),
      ],
    },
    ...sizeBlocks(task),
    ...pictureBlocks(results, task),
    ...measureBlocks(results),
  )
}

function sizeBlocks({ sizes = [] }: TaskContent): Block[] {
  if (sizes.length === 0) return []
  const kibibytes = (bytes: number) => `${fixed(bytes / 1024, 0)} KiB`
  return [
    table(
      sizes,
      [
        label('Variant', ({ arm }) => arm),
        number('Numbers trained', ({ trained }) => trained),
        number('Held in training', ({ bytes }) => kibibytes(bytes)),
      ],
      'Held in training, without activations: the network, and for each trained number its gradient and two moments.',
    ),
  ]
}

/** Numbers beside the rates: a table, and what the base and each arm's first seed make of some rows at the last step. */
function measureBlocks(results: Results): Block[] {
  const all = results.artifacts.flatMap(({ content }) =>
    content?.kind === 'task-measure' ? content : [],
  )
  if (all.length === 0) return []
  const last = atLastStep(all)
  const seed = Math.min(...last.filter((row) => !isBase(row)).map((row) => row.seed))
  const drawn = last.filter((row) => isBase(row) || row.seed === seed)
  const direction = { higher: 'higher is better', lower: 'lower is better' }
  return [
    table(
      last,
      [
        label('Measured', ({ title, better }) =>
          better === null ? title : `${title} (${direction[better]})`,
        ),
        label('Variant', stateName),
        number('Value', ({ value, unit }) => numberText(value, unit)),
        number('95 % interval', rangeText),
        number('Change from the base', ({ change }) =>
          change ? `${numberText(change.value)} (${rangeText(change)})` : '–',
        ),
        number('Units drawn', ({ n }) => n),
      ],
      'Intervals: bootstrap over units (sites, scenes, transcripts), before and after drawn together.',
    ),
    ...drawn.flatMap(({ pictures = [], arm }) =>
      pictures.map((picture) => ({ ...picture, title: `${picture.title}: ${arm}` })),
    ),
  ]
}

const numberText = (value: number | null, unit = '') =>
  value === null ? '–' : `${fixed(value, 3)}${unit === '' ? '' : ` ${unit}`}`
const rangeText = ({ lower, upper }: { lower: number | null; upper: number | null }) =>
  lower === null || upper === null ? '–' : `${fixed(lower, 3)} to ${fixed(upper, 3)}`

/** The base and the arms' first seeds as one picture each, and every cell in a table. */
function pictureBlocks(results: Results, { picture, parts }: TaskContent) {
  const benchmark = parts.find(({ part }) => part === picture?.part)?.benchmark
  if (!picture || benchmark === undefined) return []
  const rates = atLastStep(results.categories).filter((row) => row.benchmark === benchmark)
  const seed = Math.min(...rates.filter((row) => !isBase(row)).map((row) => row.seed))
  const of = (arm: string) =>
    rates.filter((row) => row.arm === arm && (isBase(row) || row.seed === seed))
  const arms = ['base', ...trainedArms(results)]
  const names = Object.keys(picture.cells)
  const rateIn = (arm: string, category: string) =>
    of(arm).find((row) => row.category === category)?.rate
  const shareIn = (arm: string, category: string) => {
    const rate = rateIn(arm, category)
    return rate && rateText(rate)
  }
  const base = (category: string) => rateIn('base', category)
  return [
    ...arms.map((arm) => map(`${picture.title}: ${arm}`, picture, of(arm))),
    table(names, [
      label('Cell', (name) => name),
      number('Rows', (name) => base(name)?.n),
      ...arms.map((arm) => number<string>(arm, (name) => shareIn(arm, name))),
      number('95 % interval of the base', (name) => base(name) && intervalText(base(name)!)),
    ]),
  ]
}

function map(
  title: string,
  { rows, columns, cells }: NonNullable<TaskContent['picture']>,
  rates: readonly CategoryRate[],
): HeatMap {
  const grid: HeatMap['cells'] = rows.map(() => columns.map(() => null))
  for (const { category, rate } of rates) {
    const [r, c] = cells[category] ?? []
    if (r === undefined || c === undefined || rate.estimate === null) continue
    const share = rate.estimate
    const detail = `${category}: ${percent(share)} of ${rate.n}`
    grid[r]![c] = { label: percent(share), share, detail }
  }
  return { type: 'heat-map', title, rows: [...rows], columns: [...columns], cells: grid }
}
