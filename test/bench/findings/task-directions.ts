/** @file What the papers of four tasks lead one to expect, over ten seeds each. */
import { COMPOSER } from '../../../evals/audit/tasks/composer/composer-facts.ts'
import { transcriptMeasure } from '../../../evals/audit/tasks/rna/measures.ts'
import { RNA } from '../../../evals/audit/tasks/rna/rna-facts.ts'
import { KINDS } from '../../../evals/audit/tasks/rna/transcripts.ts'
import { SATCLIP } from '../../../evals/audit/tasks/satclip/satclip-facts.ts'
import { SCENE_TEXT } from '../../../evals/audit/tasks/scenes/facts.ts'
import type { TaskRow } from '../../../evals/audit/tasks/task.ts'
import { shareRight, withBase } from './task-bases.ts'
import { COMPOSED_RANKS, composedNumbers } from './task-composed.ts'
import { all, BASE_SEEDS, kept, meanWithInterval } from './task-runs.ts'

const kOf = (values: readonly number[], isExpected: (value: number) => boolean) =>
  `${values.filter(isExpected).length} of ${values.length}`
const above = (bar: number) => (value: number) => value > bar
const below = (bar: number) => (value: number) => value < bar

/** Half of the steps that the base takes by default, so that ten seeds are affordable. */
const SENSED_STEPS = 300

/** The base's right answers by both senses, and by one of the same network. */
export async function sensed(): Promise<string> {
  const [both, ...alone] = SCENE_TEXT.bases as [string, ...string[]]
  const asked = SCENE_TEXT.bases.map((senses) => ({ senses }))
  const found = await all(
    BASE_SEEDS.map((seed) => () => {
      const chosen = { base: both, seed, steps: SENSED_STEPS, asked }
      return kept(`senses-${seed}`, async () => {
        const shares = await withBase(SCENE_TEXT.name, chosen, (trained) =>
          shareRight(trained, 'retention'),
        )
        return shares.map((share) => 100 * share)
      })
    }),
  )
  const rights = found.map(([first]) => first!)
  const rows = alone.map((senses, i) => {
    const values = found.map((shares) => shares[i + 1]!)
    const less = values.map((value, s) => rights[s]! - value)
    return `| ${[senses, meanWithInterval(values), meanWithInterval(less), kOf(less, above(0))].join(' | ')} |`
  })
  return `\`${SCENE_TEXT.name}\`, base alone after ${SENSED_STEPS} steps, ${BASE_SEEDS.length} seeds of weights and scenes: questions on capitals that are told right, %, with 95 % intervals of Student's t over seeds, by both scores of a word and by one of them. Zhu et al. (2023) lead one to expect less of either sense without the other.

| Senses | right | both less this one | seeds with less |
|---|---|---|---|
| both | ${meanWithInterval(rights)} | | |
${rows.join('\n')}`
}

/** Retrieval and the generalisation gap of the base of places. */
export async function places(): Promise<string> {
  const found = await all(
    BASE_SEEDS.map(
      (seed) => () =>
        kept(`places-${seed}`, async () => {
          const chosen = { base: SATCLIP.bases[0]!, seed }
          const [found] = await withBase(SATCLIP.name, chosen, async (trained) => {
            const { prepared, ask, network } = trained
            const [probe] = prepared.measures!
            const rows = (await probe!.rows(ask, network)).map(({ numbers }) => numbers)
            const share = await shareRight(trained, 'retention')
            return [100 * share, ...probe!.numbers.map(({ of }) => of(rows)!)]
          })
          return found!
        }),
    ),
  )
  const column = (at: number) => found.map((values) => values[at]!)
  const chance = 100 / 8
  const row = (said: string, values: readonly number[], digits: number, bar: number) =>
    `| ${[said, meanWithInterval(values, digits), kOf(values, above(bar))].join(' | ')} |`
  return `\`${SATCLIP.name}\`, base alone, ${BASE_SEEDS.length} seeds of weights and places: a place's own features told among those of eight, and R² of a probe for its distance to the coast. Klemmer et al. (2023) lead one to expect far more than one in eight, and a generalisation gap above 0.

| Measured | mean, 95 % interval of Student's t | seeds above the bar |
|---|---|---|
${[
  row(`own features, %; the bar is ${chance}`, column(0), 1, chance),
  row('R², random hold-out; the bar is 0', column(1), 3, 0),
  row('R², spatial hold-out; the bar is 0', column(2), 3, 0),
  row('generalisation gap; the bar is 0', column(3), 3, 0),
].join('\n')}`
}

/** How much less than the baseline a network may tell. */
const LESS = -0.02

/** A row as a transcript, which one window holds. */
const transcriptOf = ({ text, label, category, cluster }: TaskRow) => ({
  transcript: {
    id: cluster,
    sequence: text,
    kind: KINDS.find((kind) => kind === label)!,
    species: category,
  },
  group: cluster,
})

/** Without pretraining, and fewer than by default, so that ten seeds are affordable. */
const TRANSCRIBED = { steps: 150, isPretrained: false }

/** AUROC of the base on held-out transcripts of its species, and less that of the baselines. */
export async function transcribed(): Promise<string> {
  const found = await all(
    BASE_SEEDS.map(
      (seed) => () =>
        kept(`transcripts-${seed}`, async () => {
          const chosen = { base: RNA.bases[0]!, seed, ...TRANSCRIBED }
          const [numbers] = await withBase(RNA.name, chosen, async ({ prepared, ask, network }) => {
            const heldOut = prepared.measured.find(({ part }) => part === 'retention')!.rows
            const measure = transcriptMeasure(
              heldOut.map(transcriptOf),
              prepared.baseRows.map(transcriptOf),
            )
            const rows = (await measure.rows(ask, network)).map((row) => row.numbers)
            return ['rna-auroc', 'rna-auroc-frame', 'rna-auroc-six-mers'].map((name) =>
              measure.numbers.find((each) => each.name === name)!.of(rows)!,
            )
          })
          return numbers!
        }),
    ),
  )
  const column = (at: number) => found.map((values) => values[at]!)
  const row = (said: string, values: readonly number[], k: string) =>
    `| ${[said, meanWithInterval(values, 3), k].join(' | ')} |`
  return `\`${RNA.name}\`, base alone after ${TRANSCRIBED.steps} steps without pretraining, ${BASE_SEEDS.length} seeds of weights and transcripts: AUROC of 120 held-out transcripts of the species that it learnt. On made transcripts the longest frame tells nearly everything; the network is to be at most 0.02 below it.

| Measured | mean, 95 % interval of Student's t | seeds within the bar |
|---|---|---|
${[
  row('AUROC', column(0), ''),
  row(
    'less that of longest frame and GC content; the bar is −0.02',
    column(1),
    kOf(column(1), (value) => value >= LESS),
  ),
  row('less that of 6-mers', column(2), ''),
].join('\n')}`
}

/** Presence and leakage of both concepts, by way of composing. */
export async function composed(): Promise<string> {
  const found = await all(BASE_SEEDS.map((seed) => () => composedNumbers(seed)))
  const numbers: readonly (readonly [string, string, ((value: number) => boolean) | undefined])[] =
    [
      ['presence', 'in its own box', undefined],
      ['presence-merged', 'in its own box, less that by plain merging', above(0)],
      ['presence-injected', 'in its own box, less that by injection alone', above(0)],
      ['leakage', 'in the other box', undefined],
      ['leakage-merged', 'in the other box, less that by plain merging', below(0)],
      ['leakage-injected', 'in the other box, less that by injection alone', below(0)],
    ]
  const cells = COMPOSED_RANKS.flatMap((rank) =>
    [1, 2].flatMap((concept) => numbers.map((number) => [rank, concept, number] as const)),
  )
  const rows = cells.map(([rank, concept, [name, said, isExpected]]) => {
    const key = `${COMPOSER.name}-${concept}-${name}`
    const values = found.map((own) => 100 * own.get(rank)!.get(key)!)
    const k = isExpected ? kOf(values, isExpected) : ''
    return `| ${[rank, concept, said, meanWithInterval(values), k].join(' | ')} |`
  })
  return `\`${COMPOSER.name}\`, LoRA of rank ${COMPOSED_RANKS.join(' and ')} at its own settings, ${BASE_SEEDS.length} seeds of digits, base, companion and fine-tune: canvases in which a concept is read, %. Concept 1 is what the fine-tune learns, 2 the companion's. Yang et al. (2024) lead one to expect more presence than fusion gives, and isolation less leakage. Merging itself hardly ever draws concept 2, so that there is no leakage of it to lower.

| Rank | Concept | Read | mean, 95 % interval of Student's t | seeds as expected |
|---|---|---|---|---|
${rows.join('\n')}`
}
