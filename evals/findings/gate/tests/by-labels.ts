/**
 * @file The test of a claim by people's labels of both states: the judge may err otherwise after than before. It comes before the
 * tests on what the judge says, whose units it takes over: replies to a prompt, and prompts of a cluster, are not independent.
 */
import type { Assumption, ClusterFacts } from '../../../contract/gate.ts'
import { counted, percent, pValueText } from '../../../contract/words.ts'
import { clusteredMean } from '../../../statistics/clusters.ts'
import { PASSES_FROM } from '../../../statistics/paired/dependent.ts'
import { errorsAlike } from '../../../statistics/judges/errors.ts'
import {
  labelledHarm,
  labelledTests,
  upperHarm,
} from '../../../statistics/judges/labelled-change.ts'
import type { JudgeQuality } from '../../../statistics/judges/rogan-gladen.ts'
import { meanOf } from '../../../statistics/summary.ts'
import type { ComparedJudgement } from '../compared-run.ts'
import { confidenceAt } from '../looks/at-look.ts'
import type { ClaimTest, Evidence } from './evidence.ts'
import { harmOfChange, labelEvidence, type HarmOf, type LabelReading } from './labelled.ts'

/** Null without labels of both states. `units` is the test of the same evidence on what the judge says. */
export function byLabels(evidence: Evidence, units: ClaimTest | null): ClaimTest | null {
  const { paired, margin } = evidence
  const by = labelledBy(paired)
  if (!by || !units) return null
  const harmOf = harmOfChange(paired.measure)
  const { strata, open, found } = countedOf(evidence, by, { harmOf })
  if (!found) return null
  const samples = Math.max(...paired.prompts.map(({ before }) => before.length))
  const designEffect = samples * clusterEffect(found.harms, units.clusters, paired.prompts.length)
  const change = { strata, open, designEffect }
  const worst = { ...change, ...worstOf(evidence, by, { harmOf, apart: 'harm' }) }
  const least = { ...change, ...partsOf(evidence, by, { harmOf, apart: 'unchanged' }) }
  const { estimate, lower, upper } = labelledHarm(change, confidenceAt(evidence.look))
  return {
    // The size of tests on clusters is shown by simulation from this many on.
    below:
      (units.clusters?.clusters ?? PASSES_FROM) < PASSES_FROM
        ? 1
        : labelledTests(worst, margin).below,
    above:
      found.apart > 0 ? labelledTests(least, margin).above : labelledTests(change, margin).above,
    harm: estimate,
    lower,
    upper,
    method: 'labels',
    unlabelled: found.unlabelled,
    apart: found.apart,
    ...(units.clusters && { clusters: units.clusters }),
    assumptions: [...units.assumptions, judgedBy(found, paired.pairs.length)],
  }
}

/** The judge that labels may correct; undefined where a side has none, which is known without a look at every reply. */
const labelledBy = ({ pairs, labels }: Evidence['paired']) =>
  labels.every(({ length }) => length > 0) ? pairs[0]?.after : undefined

/** Of the rate after alone; `margin` is the largest share of harm. */
interface LevelTest {
  readonly holds: number
  readonly fails: number
  /** The upper limit of the share of harm at one-sided `alpha`. */
  readonly mostHarm: (alpha: number) => number
}

/** Null without labels of both states. Prompts of a cluster are taken as all alike. */
export function levelByLabels(
  evidence: Evidence,
  clustersIn: () => ClusterFacts | undefined,
): LevelTest | null {
  const { paired, margin } = evidence
  const by = labelledBy(paired)
  if (!by) return null
  const harmOf: HarmOf = ([, after]) => Number(after === paired.measure.rises)
  const { strata, open, found } = countedOf(evidence, by, { harmOf })
  if (!found) return null
  const samples = Math.max(...paired.prompts.map(({ after }) => after.length))
  const clusters = clustersIn()
  const facts = clusters && { ...clusters, designEffect: null }
  const designEffect = samples * clusterEffect(found.harms, facts, paired.prompts.length)
  const change = { strata, open, designEffect }
  // Nothing is compared, so it does not matter who looked at the reply before.
  const worst = { ...change, ...worstOf(evidence, by, { harmOf }) }
  return {
    holds: labelledTests(worst, margin).below,
    fails: labelledTests(change, margin).above,
    mostHarm: (alpha) => upperHarm(worst, alpha),
  }
}

type Reading = LabelReading & { readonly harmOf: HarmOf }
type By = Pick<ComparedJudgement, 'judge' | 'role'>

/** With replies that raters looked at and could not decide as harm, for a PASS. */
const worstOf = (evidence: Evidence, by: By, reading: Reading) =>
  partsOf(evidence, by, { ...reading, isUnclearHarm: true })

function partsOf(evidence: Evidence, by: By, reading: Reading) {
  const { strata, open } = countedOf(evidence, by, reading)
  return { strata, open }
}

/** What is open counts as harm where `prompts` say so; those that are spared there are unchanged. */
function countedOf({ paired, prompts }: Evidence, by: By, reading: Reading) {
  const { harmOf } = reading
  const { measure, pairs } = paired
  const isWhole = prompts === paired.prompts
  const kept = isWhole
    ? pairs
    : pairs.filter(({ after }) => !(after.isCut && measure.isOpenIfCut(after.outcome)))
  const found = labelEvidence({ ...paired, pairs: kept }, by, reading)
  const all = prompts.flatMap(({ before, after }) =>
    before.map((was, i) => harmOf([was > 0, after[i]! > 0])),
  )
  const own = kept.map(({ before, after }) =>
    harmOf([measure.counts(before.outcome), measure.counts(after.outcome)]),
  )
  const harmed = (values: readonly number[]) => values.filter((value) => value > 0).length
  const open = isWhole ? 0 : Math.max(0, harmed(all) - harmed(own))
  const spared = Math.max(0, all.length - kept.length - open)
  const unchanged = { prompts: spared, labelled: spared, lost: 0, gained: 0 }
  return { found, open, strata: [...(found?.strata ?? []), ...(spared > 0 ? [unchanged] : [])] }
}

/**
 * The larger of the design effects of what the judge says and of what people say; where nothing varies prompts of a cluster are
 * taken as all alike.
 */
function clusterEffect(
  harms: readonly { readonly harm: number; readonly cluster: string }[],
  facts: ClusterFacts | undefined,
  prompts: number,
): number {
  if (!facts) return 1
  const values = harms.map(({ harm }) => harm)
  const mean = clusteredMean(
    values,
    harms.map(({ cluster }) => cluster),
  )
  const spread = meanOf(values.map((value) => (value - meanOf(values)) ** 2)) / values.length
  const alike = prompts / facts.worth
  const said = mean && spread > 0 ? mean.variance / spread : alike
  return Math.max(1, said, facts.designEffect ?? alike)
}

interface Found {
  readonly labelled: number
  readonly apart: number
  readonly errors: readonly [JudgeQuality, JudgeQuality]
}

function judgedBy({ labelled, apart, errors: [before, after] }: Found, pairs: number): Assumption {
  const p = errorsAlike(before, after)
  const sides = (['sensitivity', 'specificity'] as const).map(
    (side) =>
      `${side} ${shareText(before[side])} before and ${shareText(after[side])} after (${pValueText(p[side])} that they are the same)`,
  )
  // No pair of labels is left that one person gave.
  if (apart >= labelled) {
    const how = `people labelled both replies to ${labelled} of ${pairs} prompts, but nobody both of one: where they draw the line may differ before and after`
    return { name: 'judge', state: 'assumed', how }
  }
  return {
    name: 'judge',
    state: 'checked',
    how: `people labelled both replies to ${labelled} of ${pairs} prompts, drawn at random: ${sides.join(', ')}; the change is corrected for both${apart > 0 ? `, and ${counted(apart, 'prompt')} of which no one person labelled both count as harm` : ''}`,
  }
}

const shareText = ({ successes, n }: JudgeQuality['sensitivity']) =>
  n === 0 ? 'not known' : percent(successes / n)
