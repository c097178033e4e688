/** @file A run on one page of Markdown, for a model card or a pull request: the decision, the rates, what they leave open. No prompt, no reply. */
import type { CorrectedRate, Evaluation, Rate, Results } from '../contract/results.ts'
import { listed, percent, pValueText, signedPoints } from '../contract/words.ts'
import { atLastStep, firstJudge, RATE_TEXT, stateName } from './view.ts'

/** Names come from files of strangers: nothing in them may mark up, link or break a table. */
const plain = (text: string): string =>
  text
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .replaceAll(/[\\`*_{}[\]()<>#+!|~&-]/g, (character) => `\\${character}`)

const table = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  rows.length === 0
    ? ''
    : [heads, heads.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('')

const list = (lines: readonly string[]): string =>
  lines.map((line) => `- ${plain(line)}\n`).join('')

export function renderMarkdown(results: Results): string {
  const { run, gate, verdict, limits, engine } = results
  const decision = gate
    ? [
        `**Gate: ${gate.outcome}.** ${plain(gate.headline)}\n`,
        list(gate.claims.map(({ sentence }) => sentence)),
      ]
    : [`**${verdict.outcome}.** ${plain(verdict.headline)}\n`]
  const parts: (readonly [string, string])[] = [
    ['', decision.join('\n')],
    [
      'What to try next',
      list((gate?.advice ?? []).map(({ what, cost }) => `${what} Cost: ${cost}.`)),
    ],
    ['Rates', ratesTable(results)],
    ['Corrected for the judges’ errors', correctedPart(results)],
    ['Between seeds', list(varianceLines(results))],
    ['What this does not show', list(limits)],
    ['How to get this again', `    ${run.command.replaceAll(/\s+/g, ' ')}\n`],
  ]
  const body = parts
    .filter(([, text]) => text !== '')
    .map(([title, text]) => (title === '' ? text : `## ${title}\n\n${text}`))
  return `# ${plain(run.title)}\n\n${body.join('\n')}\nRun ${plain(run.id)}, measured until ${run.endedAt}, Touchstone ${plain(engine.version)}.\n`
}

const interval = ({ lower, upper }: Pick<Rate, 'lower' | 'upper'>) =>
  lower === null || upper === null ? '–' : `${percent(lower)} to ${percent(upper)}`

/** The contract's difference is before − after; a reader expects after − before. */
const pointsBetween = ({ lower, upper }: { lower: number; upper: number }) =>
  `${signedPoints(-upper)} to ${signedPoints(-lower)}`

function ratesTable(results: Results): string {
  const rows = results.benchmarks.flatMap((benchmark) =>
    atLastStep(results.evaluations)
      .filter((row) => row.benchmark === benchmark.name && row.judge === firstJudge(benchmark))
      .map((row) => [
        `${plain(benchmark.title)} (${RATE_TEXT[benchmark.role]})`,
        plain(stateName(row)),
        row.rate.estimate === null ? 'undecided' : percent(row.rate.estimate),
        interval(row.rate),
        ...changeCells(results, row),
        String(row.rate.prompts ?? row.rate.n),
      ]),
  )
  return table(
    ['Benchmark', 'Model state', 'Rate', '95 %', 'Change (points)', '95 %', 'Holm', 'Prompts'],
    rows,
  )
}

function changeCells({ comparisons }: Results, row: Evaluation): string[] {
  const found = comparisons.find(
    ({ arm, seed, step, benchmark, judge }) =>
      arm === row.arm &&
      seed === row.seed &&
      step === row.step &&
      benchmark === row.benchmark &&
      judge === row.judge,
  )
  const { difference, lower, upper } = found ?? { difference: null, lower: null, upper: null }
  if (difference === null || lower === null || upper === null) return ['–', '–', '–']
  return [
    signedPoints(-difference),
    pointsBetween({ lower, upper }),
    found!.holmP === null ? '–' : pValueText(found!.holmP),
  ]
}

function correctedPart({ people, benchmarks }: Results): string {
  if (!people) {
    return 'No reply of this run was labelled by people, so no rate here is corrected for its judge’s errors.\n'
  }
  const firsts = new Set(benchmarks.map((row) => `${row.name}\u0000${firstJudge(row)}`))
  const main = atLastStep(people.rates).filter((row) =>
    firsts.has(`${row.benchmark}\u0000${row.judge}`),
  )
  const cells = ({ corrected, refused }: CorrectedRate) =>
    corrected
      ? [percent(corrected.estimate), interval(corrected)]
      : [`not corrected: ${plain(refused ?? '')}`, '–']
  const rows = main.map((row) => [
    plain(row.benchmark),
    plain(stateName(row)),
    row.measure,
    row.reported.estimate === null ? 'undecided' : percent(row.reported.estimate),
    ...cells(row),
  ])
  const changeRows = atLastStep(people.changes)
    .filter((row) => firsts.has(`${row.benchmark}\u0000${row.judge}`))
    .map((row) => [
      plain(row.benchmark),
      plain(stateName(row)),
      row.measure,
      signedPoints(-row.reported.estimate),
      ...(row.corrected
        ? [signedPoints(-row.corrected.estimate), pointsBetween(row.corrected)]
        : [`not corrected: ${plain(row.refused ?? '')}`, '–']),
    ])
  const by = `${people.labelled} replies were labelled by ${plain(listed(people.raters))}.\n\n`
  const heads = ['Benchmark', 'Model state', 'Of the', 'Reported', 'Corrected', '95 %']
  const changeHeads = heads.map((head) => (head === 'Of the' ? 'Change of the (points)' : head))
  return [by + table(heads, rows), table(changeHeads, changeRows)].filter(Boolean).join('\n')
}

function varianceLines({ variance }: Results): string[] {
  return variance.map(
    ({ arm, benchmark, seeds, samples, sample, standardErrorOverSeeds: error }) =>
      `${arm} on ${benchmark}, ${seeds.length} seeds: one further training's rate on these prompts has a standard error of ${(100 * error).toFixed(1)} points${sample === null ? '' : `; of a reply's variance ${sample.toFixed(4)} lies between the ${samples} samples of a prompt`}.`,
  )
}
