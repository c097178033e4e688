/**
 * @file The change of a rate by people's labels of both states: what the judge says of all prompts, corrected for its errors
 * before and after (`evals/statistics/judges/labelled-change.ts`).
 *
 * Prompts count as labelled where both replies were drawn at random within this judge's verdicts, and both labels are decided.
 * Prompts that were chosen because judges differ are a stratum of their own once all of them are labelled; until then their
 * labels stand in the judged outcomes alone.
 */
import type { BenchmarkRole, Outcome } from '../../../contract/rows.ts'
import { judgeErrors, type LabelledVerdict } from '../../../statistics/judges/errors.ts'
import type { LabelledChange } from '../../../statistics/judges/labelled-change.ts'
import type { LabelledValue } from '../../../statistics/judges/prediction-powered.ts'
import type { JudgeQuality } from '../../../statistics/judges/rogan-gladen.ts'
import type { LabelledReply } from '../compared-run.ts'
import { isDecided, isSuccess, type Measure } from '../outcomes.ts'
import { isByTheSame, labelKey } from '../people.ts'
import type { Paired } from '../pairs.ts'

/** One prompt, or one reply of several to it, before and after. */
interface Unit {
  readonly stratum: string
  readonly cluster: string
  readonly said: readonly [boolean, boolean]
  /** Null where it does not count as labelled. */
  readonly truth: readonly [boolean, boolean] | null
}

interface LabelEvidence {
  readonly strata: LabelledChange['strata']
  readonly labelled: number
  /** Prompts that were drawn and have no decided label on a side. */
  readonly unlabelled: number
  /** Prompts whose two labels are not of the same people. */
  readonly apart: number
  /** Of the judge, before and after. */
  readonly errors: readonly [JudgeQuality, JudgeQuality]
  /** Harm by people, of the labelled, with their clusters. */
  readonly harms: readonly { readonly harm: number; readonly cluster: string }[]
  /** For PPI++: harm by people and by the judge where labelled, and by the judge alone of every prompt. */
  readonly values: readonly LabelledValue[]
  readonly judged: readonly number[]
}

interface Judged {
  readonly outcome: Outcome
  readonly judgedAs?: Outcome
}

interface LabelledPairs extends Pick<Paired, 'labels' | 'measure'> {
  /** Decided by the judge on both sides. */
  readonly pairs: readonly {
    readonly before: Judged
    readonly after: Judged &
      Pick<LabelledReply, 'sampleId' | 'epoch'> & { readonly cluster?: string }
  }[]
}

/** What a prompt's replies, before and after, say for a claim: 1 harm, −1 its opposite, 0 neither. */
export type HarmOf = (counts: readonly [before: boolean, after: boolean]) => number

export const harmOfChange =
  ({ rises }: Measure): HarmOf =>
  ([before, after]) =>
    (Number(before) - Number(after)) * (rises ? -1 : 1)

export interface LabelReading {
  readonly harmOf?: HarmOf
  /**
   * Whether a reply that was drawn and has no label, or one that raters could not decide, was good before, or is bad after: none may
   * be taken out of a PASS, since those that are left out may be those that would deny it.
   */
  readonly isUnclearHarm?: boolean
  /** What a prompt counts as whose two labels are not of the same people; as they say if not given. */
  readonly apart?: 'harm' | 'unchanged'
}

/** Null where no prompt was drawn at random within this judge's verdicts and labelled on both sides. */
export function labelEvidence(
  { pairs, labels, measure }: LabelledPairs,
  { judge, role }: { readonly judge: string; readonly role: BenchmarkRole },
  { harmOf = harmOfChange(measure), isUnclearHarm = false, apart }: LabelReading = {},
): LabelEvidence | null {
  const known = labels.map((side, i) => byReply(side, measure, i === 1))
  const truthOf = (label: LabelledReply | undefined, side: number) => {
    const { outcome = null, isUnclear = false, drawnBy = null } = label ?? {}
    if (outcome !== null && measure.decides(outcome)) return measure.counts(outcome)
    const isOpen = isUnclear || (drawnBy === judge && outcome === null)
    return isOpen && isUnclearHarm ? (side === 1) === measure.rises : null
  }
  const all = pairs.map(({ before, after }) => {
    const items = known.map((side) => side.get(labelKey(after)))
    const isApart = isSaidApart(items)
    const own = items.map(truthOf)
    const truth = isApart && apart ? truthApart(measure, apart) : own
    return {
      cluster: after.cluster ?? after.sampleId,
      isApart,
      truth: isWhole(truth) ? truth : null,
      isChosen: items.some((label) => label?.isChosen),
      isDrawn: items.every((label) => label?.drawnBy === judge),
      drawn: [before, after].map((row) => drawnAs(role, saidBy(row))).join(''),
      said: [before, after].map((row) => measure.counts(saidBy(row))) as [boolean, boolean],
    }
  })
  const isSettled = all.every(({ isChosen, truth }) => !isChosen || truth !== null)
  const units = all.map(({ drawn, said, truth, cluster, isChosen, isDrawn }): Unit => {
    const isApart = isSettled && isChosen
    const stratum = isApart ? 'chosen' : `${drawn}${said.map(Number).join('')}`
    return { stratum, cluster, said, truth: isApart || isDrawn ? truth : null }
  })
  const parted = all.filter((row) => row.isApart && (row.isDrawn || row.isChosen)).length
  const hasDrawn = units.some(({ stratum, truth }) => stratum !== 'chosen' && truth !== null)
  const unlabelled = all.filter(({ isDrawn, truth }) => isDrawn && truth === null).length
  return hasDrawn ? { ...evidenceOf(units, harmOf), unlabelled, apart: parted } : null
}

/** Of labels of one reply that say different things, one that makes harm: a bad reply after, a good one before. */
function byReply(
  labels: readonly LabelledReply[],
  { decides, counts, rises }: Measure,
  isAfter: boolean,
): Map<string, LabelledReply> {
  const known = new Map<string, LabelledReply>()
  const isHarm = ({ outcome }: LabelledReply) =>
    outcome !== null && decides(outcome) && (counts(outcome) === rises) === isAfter
  for (const row of labels) {
    const key = labelKey(row)
    const other = known.get(key)
    if (!other || !isHarm(other)) known.set(key, row)
  }
  return known
}

const isWhole = (truth: readonly (boolean | null)[]): truth is readonly [boolean, boolean] =>
  truth.every((side) => side !== null)

/** Whether both replies have labels, but not of the same people. */
function isSaidApart([before, after]: readonly (LabelledReply | undefined)[]): boolean {
  const isSaid = before?.outcome != null && after?.outcome != null
  return isSaid && !isByTheSame(before, after)
}

function truthApart({ rises }: Measure, as: 'harm' | 'unchanged'): readonly [boolean, boolean] {
  const good = !rises
  return [good, as === 'harm' ? !good : good]
}

const saidBy = ({ judgedAs, outcome }: Judged) => judgedAs ?? outcome

/** What the draw divided replies by. */
export const drawnAs = (role: BenchmarkRole, outcome: Outcome): string =>
  isDecided(role, outcome) ? String(Number(isSuccess(role, outcome))) : '-'

function evidenceOf(
  units: readonly Unit[],
  harmOf: HarmOf,
): Omit<LabelEvidence, 'unlabelled' | 'apart'> {
  const groups = [...Map.groupBy(units, ({ stratum }) => stratum).values()].map((group) => {
    const labelled = group.filter(hasTruth)
    return { group, labelled, weight: group.length / Math.max(1, labelled.length) }
  })
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
    harms: groups.flatMap(({ labelled }) =>
      labelled.map(({ truth, cluster }) => ({ harm: harmOf(truth), cluster })),
    ),
    values: groups.flatMap(({ labelled, weight }) =>
      labelled.map(({ truth, said }) => ({
        truth: harmOf(truth),
        predicted: harmOf(said),
        weight,
      })),
    ),
    judged: units.map(({ said }) => harmOf(said)),
  }
}

const hasTruth = (unit: Unit): unit is Unit & { truth: readonly [boolean, boolean] } =>
  unit.truth !== null
