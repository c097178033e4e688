/**
 * @file The change of a rate by people's labels of both states: what the judge says of all prompts, corrected for its errors
 * before and after (`evals/statistics/judges/labelled-change.ts`).
 *
 * Prompts count as labelled where both replies were drawn at random within this judge's verdicts, and both labels are decided.
 * Prompts that were chosen because judges differ are a stratum of their own once all of them are labelled; until then their
 * labels stand in the judged outcomes alone.
 */
import type { Outcome } from '../../contract/rows.ts'
import { judgeErrors, type LabelledVerdict } from '../../statistics/judges/errors.ts'
import type { LabelledChange } from '../../statistics/judges/labelled-change.ts'
import type { LabelledValue } from '../../statistics/judges/prediction-powered.ts'
import type { JudgeQuality } from '../../statistics/judges/rogan-gladen.ts'
import type { LabelledReply } from './compared-run.ts'
import type { Measure } from './outcomes.ts'
import { labelKey } from './people.ts'
import type { Paired } from './pairs.ts'

/** One prompt, or one reply of several to it, before and after. */
interface Unit {
  readonly stratum: string
  readonly said: readonly [boolean, boolean]
  /** Null where it does not count as labelled. */
  readonly truth: readonly [boolean, boolean] | null
}

interface LabelEvidence {
  readonly strata: LabelledChange['strata']
  readonly labelled: number
  /** Of the judge, before and after. */
  readonly errors: readonly [JudgeQuality, JudgeQuality]
  /** For PPI++: harm by people and by the judge, and by the judge alone where nobody labelled. */
  readonly values: readonly LabelledValue[]
  readonly others: readonly number[]
}

interface Judged {
  readonly outcome: Outcome
  readonly judgedAs?: Outcome
}

interface LabelledPairs extends Pick<Paired, 'labels' | 'measure'> {
  /** Decided by the judge on both sides. */
  readonly pairs: readonly {
    readonly before: Judged
    readonly after: Judged & Pick<LabelledReply, 'sampleId' | 'epoch'>
  }[]
}

/** Null where no prompt was drawn at random within this judge's verdicts and labelled on both sides. */
export function labelEvidence(
  { pairs, labels, measure }: LabelledPairs,
  judge: string,
): LabelEvidence | null {
  const known = labels.map((side) => new Map(side.map((row) => [labelKey(row), row])))
  const truthOf = (side: number, key: string) => {
    const outcome = known[side]!.get(key)?.outcome ?? null
    return outcome !== null && measure.decides(outcome) ? measure.counts(outcome) : null
  }
  const all = pairs.map(({ before, after }) => {
    const key = labelKey(after)
    const [one, two] = [truthOf(0, key), truthOf(1, key)]
    const drawn = known.map((side) => side.get(key))
    return {
      truth: one === null || two === null ? null : ([one, two] as const),
      isChosen: drawn.some((label) => label?.isChosen),
      isDrawn: drawn.every((label) => label?.drawnBy === judge),
      said: [before, after].map(({ judgedAs, outcome }) => measure.counts(judgedAs ?? outcome)) as [
        boolean,
        boolean,
      ],
    }
  })
  const isSettled = all.every(({ isChosen, truth }) => !isChosen || truth !== null)
  const units = all.map(({ said, truth, isChosen, isDrawn }): Unit => {
    const isApart = isSettled && isChosen
    const stratum = isApart ? 'chosen' : said.map(Number).join('')
    return { stratum, said, truth: isApart || isDrawn ? truth : null }
  })
  const hasDrawn = units.some(({ stratum, truth }) => stratum !== 'chosen' && truth !== null)
  return hasDrawn ? evidenceOf(units, measure) : null
}

function evidenceOf(units: readonly Unit[], measure: Measure): LabelEvidence {
  const groups = [...Map.groupBy(units, ({ stratum }) => stratum).values()].map((group) => {
    const labelled = group.filter(hasTruth)
    return { group, labelled, weight: group.length / Math.max(1, labelled.length) }
  })
  const harmOf = ([before, after]: readonly [boolean, boolean]) =>
    (Number(before) - Number(after)) * (measure.rises ? -1 : 1)
  const verdicts = (side: 0 | 1): LabelledVerdict[] =>
    groups.flatMap(({ labelled, weight }) =>
      labelled.map(({ truth, said }) => ({ truth: truth[side], said: said[side], weight })),
    )
  return {
    strata: groups.map(({ group, labelled }) => {
      const count = (harm: number) => labelled.filter(({ truth }) => harmOf(truth) === harm).length
      return {
        prompts: group.length,
        labelled: labelled.length,
        lost: count(1),
        gained: count(-1),
      }
    }),
    labelled: groups.reduce((sum, { labelled }) => sum + labelled.length, 0),
    errors: [judgeErrors(verdicts(0)), judgeErrors(verdicts(1))],
    values: groups.flatMap(({ labelled, weight }) =>
      labelled.map(({ truth, said }) => ({
        truth: harmOf(truth),
        predicted: harmOf(said),
        weight,
      })),
    ),
    others: units.filter((unit) => !hasTruth(unit)).map(({ said }) => harmOf(said)),
  }
}

const hasTruth = (unit: Unit): unit is Unit & { truth: readonly [boolean, boolean] } =>
  unit.truth !== null
