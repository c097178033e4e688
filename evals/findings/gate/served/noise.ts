/**
 * @file The noise floor of a served model: greedy replies to the same prompt may differ from run to run, so its base is asked
 * again. A prompt has flipped where any repeat has another outcome. The share of such prompts has Clopper's and Pearson's 95 %
 * interval, and its upper limit f is what a claim must beat on top: harm counts as below a margin m where it is shown to be below
 * m − f, and as above it where it is shown to be above m + f. That holds also where all flips go one way (docs/decisions/gate.md).
 */
import type { AuditRows } from '../../../contract/audit-rows.ts'
import type { MeasuredNoise, NoiseFloor } from '../../../contract/gate.ts'
import { isBase, keyOf, nameIn } from '../../../contract/keys.ts'
import { counted, points } from '../../../contract/words.ts'
import { clopperPearson } from '../../../statistics/exact-binomial.ts'
import type { ComparedRun } from '../compared-run.ts'
import type { Selection } from '../selection.ts'

/** Of every benchmark and judge that the base was asked again by; undefined where the base ran here. */
export function noiseIn({
  subjects,
  verdicts,
  repeats = [],
}: Pick<AuditRows, 'subjects' | 'verdicts' | 'repeats'>): MeasuredNoise[] | undefined {
  if (!subjects.some(({ arm, served }) => arm === 'base' && served)) return undefined
  const first = new Map(
    verdicts
      .filter((row) => isBase(row) && row.epoch === 0)
      .map((row) => [keyOf(row.benchmark, row.judge, row.sampleId), row.outcome]),
  )
  const asked = repeats.filter((row) => first.has(keyOf(row.benchmark, row.judge, row.sampleId)))
  return [...Map.groupBy(asked, ({ benchmark, judge }) => keyOf(benchmark, judge)).values()].map(
    (rows) => {
      const { benchmark, judge } = rows[0]!
      const prompts = new Set(rows.map(({ sampleId }) => sampleId))
      const flipped = new Set(
        rows
          .filter((row) => first.get(keyOf(benchmark, judge, row.sampleId)) !== row.outcome)
          .map(({ sampleId }) => sampleId),
      )
      return { benchmark, judge, ...floorOf(flipped.size, prompts.size) }
    },
  )
}

const floorOf = (flipped: number, prompts: number): NoiseFloor => ({
  flipped,
  prompts,
  ...clopperPearson(flipped, prompts),
})

/** The larger of both sides; null where neither is served. What is served and was not asked again may differ anywhere. */
export function noiseOf(sides: readonly ComparedRun[], of: Selection): NoiseFloor | null {
  const found = sides.flatMap(({ noise }) =>
    noise ? [noise.find((row) => isOf(row, of)) ?? floorOf(0, 0)] : [],
  )
  const [first, ...rest] = found
  return first ? rest.reduce((a, b) => (b.upper > a.upper ? b : a), first) : null
}

const isOf = ({ benchmark, judge }: MeasuredNoise, of: Selection): boolean =>
  benchmark === nameIn(of.benchmark, of.context) && judge === of.judge

/** "; identical runs differ on 0 of 256 prompts (95 % limit 1.4 points), which counts against it". */
export function noiseText(noise: NoiseFloor | null): string {
  if (!noise) return ''
  const { flipped, prompts, upper } = noise
  return prompts === 0
    ? '; how far identical runs of this served model differ was not measured, so that nothing is shown'
    : `; identical runs differ on ${flipped} of ${counted(prompts, 'prompt')} (95 % limit ${points(upper)}), which is allowed for`
}
