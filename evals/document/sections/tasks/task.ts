/** @file A task: what its base knows, what is learnt, where its rows come from, and a picture of one part with its table. */
import type { HeatMap, Section } from '../../../contract/document.ts'
import { isBase } from '../../../contract/keys.ts'
import type { CategoryRate, Results } from '../../../contract/results.ts'
import type { TaskContent, TaskPart } from '../../../contract/rows.ts'
import { percent } from '../../../contract/words.ts'
import { label, number, paragraph, section, table } from '../../blocks.ts'
import { atLastStep, intervalText, rateText, trainedArms } from '../../view.ts'

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
    ...pictureBlocks(results, task),
  )
}

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
