/** @file `touchstone plan`: how many prompts and seeds a question needs. */
import { z } from 'zod'
import { counted, percent, points } from '../../../contract/words.ts'
import { usageError } from '../../../errors/touchstone-error.ts'
import {
  DRAWN,
  MOST_PROMPTS,
  objection,
  planClusters,
  planLabels,
  planSamples,
  planStopping,
  type ClusterPlan,
  type SamplePlan,
  type StoppingPlan,
} from '../../../findings/gate/plan.ts'
import { DEFAULT_SLACK } from '../../../findings/gate/bounds.ts'
import { DEFAULT_CATEGORY_MARGIN } from '../../../findings/gate/questions.ts'
import { SPENDINGS, StoppingRule } from '../../../contract/gate/stopping.ts'
import { command } from '../../command.ts'

const share = z.number().gt(0).lt(1)

const PlanOptions = z.object({
  delta: z.number().gte(0.005).lt(1).meta({
    help: 'The harm to rule out or to notice, as a share of prompts (0.03 is 3 points)',
  }),
  power: z.number().gte(0.5).lte(0.99).default(0.8).meta({
    help: 'How likely the test shall decide',
  }),
  baseRate: share.default(0.95).meta({ help: 'The rate before, for example of refusals' }),
  discordance: z.number().gte(0).lt(1).default(0.05).meta({
    help: 'Share of prompts whose answer changes either way though nothing got worse',
  }),
  alpha: z.number().gte(0.001).lt(0.5).default(0.05).meta({
    help: 'How often a harm of just that size would pass, if what the test assumes is so',
  }),
  icc: z.number().gte(0).lte(1).nullable().default(null).meta({
    help: 'Intra-cluster correlation of the changes, with --clusters or --per-cluster',
    value: 'ICC',
  }),
  clusters: z.int().min(2).max(MOST_PROMPTS).nullable().default(null).meta({
    help: 'With --icc: templates, documents or conversations that the prompts come from; how many prompts of each',
    value: 'CLUSTERS',
  }),
  perCluster: z.int().min(1).max(MOST_PROMPTS).nullable().default(null).meta({
    help: 'With --icc: prompts of each cluster; how many clusters',
    value: 'PROMPTS',
  }),
  floor: share.default(1 - DEFAULT_SLACK).meta({
    help: 'The least rate of the fine-tune itself that shall be shown, with a true rate of --base-rate',
  }),
  labels: z.int().min(20).max(MOST_PROMPTS).nullable().default(null).meta({
    help: 'Prompts of a benchmark of which some replies shall be labelled: how many, before and after',
    value: 'PROMPTS',
  }),
  sensitivity: share.default(0.95).meta({
    help: 'With --labels: share of the replies in the rate that the judge finds',
  }),
  specificity: share.default(0.95).meta({
    help: 'With --labels: share of the other replies that the judge leaves out',
  }),
  sequential: z.enum(SPENDINGS).nullable().default(null).meta({
    help: 'How many prompts are asked where it is looked on the way, for the number of prompts of one training',
  }),
  looks: StoppingRule.shape.looks.meta({ help: 'With --sequential: how often it is looked' }),
  claims: z.int().min(1).max(1000).default(1).meta({
    help: 'Claims of the gate: benchmarks, categories and contexts share α where a FAIL is at stake',
    value: 'CLAIMS',
  }),
  reliability: share.default(0.8).meta({
    help: 'Share of trainings that shall be safe, for the number of seeds',
  }),
})
type Options = z.infer<typeof PlanOptions>

export const plan = command({
  schema: PlanOptions,
  examples: [
    'touchstone plan --delta 0.03 --power 0.8',
    'touchstone plan --delta 0.05 --base-rate 0.9 --discordance 0.1 --alpha 0.01',
    'touchstone plan --delta 0.05 --floor 0.97 --base-rate 0.99',
    'touchstone plan --delta 0.05 --sequential obrien-fleming',
    'touchstone plan --delta 0.02 --reliability 0.9 --json',
    'touchstone plan --delta 0.05 --icc 0.2 --clusters 80',
    'touchstone plan --delta 0.05 --labels 400 --sensitivity 0.95 --specificity 0.9',
  ],
  async run({ options: { json: _, ...question }, tell }) {
    const why = objection(question)
    if (why !== undefined) {
      throw usageError(
        `There is nothing to plan: ${why}.`,
        'Lower --discordance or --delta, or give the --base-rate that was measured.',
      )
    }
    requireClusters(question)
    const found = planSamples(question)
    const asked = found.both.prompts ?? found.ruleOut[0]!.prompts
    const clusters = planClusters(question, asked)
    const labels = planLabels(question)
    const stopping = planStopping(question, asked)
    const more = [
      ...(clusters === undefined ? [] : [clusterText(question, clusters, found.both.harm)]),
      ...(labels === undefined ? [] : [labelText(question, labels)]),
      ...(stopping === undefined ? [] : [stoppingText(stopping, question)]),
    ]
    const extra = {
      ...(clusters && { clusters }),
      ...(labels !== undefined && { labels }),
      ...(stopping && { stopping }),
    }
    tell({ type: 'plan', question, ...found, ...extra }, textOf(question, found) + more.join(''))
    return Promise.resolve()
  },
})

/** One of the two sizes is given, and the other is searched for. */
function requireClusters({ icc, clusters, perCluster }: Options): void {
  if (icc === null && clusters === null && perCluster === null) return
  if (icc !== null && (clusters === null) !== (perCluster === null)) return
  throw usageError(
    'A plan for clusters needs their intra-cluster correlation and one of their two sizes.',
    'Give --icc with either --clusters or --per-cluster.',
  )
}

function clusterText({ icc, delta }: Options, found: ClusterPlan, harm: number): string {
  const { clusters, perCluster, leastClusters, passes, fails } = found
  const goal = `In clusters with an ICC of ${icc}, one training: `
  if (clusters !== null && perCluster !== null) {
    const failing = fails === null ? '' : `, of as many with ${points(harm)} ${percent(fails)} fail`
    const shown =
      passes === null
        ? ''
        : `; of ${DRAWN} drawn fine-tunes without harm ${percent(passes)} pass${failing}`
    return `${goal}${clusters} clusters of ${counted(perCluster, 'prompt')}, ${clusters * perCluster} prompts${shown}.\n`
  }
  if (clusters === null) return `${goal}no number of clusters of ${perCluster} was found.\n`
  const why =
    clusters < leastClusters
      ? `to show a harm below ${points(delta)} takes at least ${leastClusters} clusters, as prompts of one may be all alike`
      : 'take more clusters'
  return `${goal}${clusters} clusters are too few, however many prompts each has; ${why}.\n`
}

function labelText(options: Options, found: ReturnType<typeof planLabels>): string {
  const { labels, delta, power, sensitivity, specificity } = options
  const judge = `a judge of sensitivity ${percent(sensitivity)} and specificity ${percent(specificity)} in both states`
  const goal = `To rule out a harm of ${points(delta)} on ${labels} prompts with ${percent(power)} power by labels of both states, with ${judge}: `
  if (!found) return `${goal}labels of all ${labels} prompts are too few.\n`
  return `${goal}both replies to ${found.labels} prompts, ${2 * found.labels} labels (power ${percent(found.power)} in 200 simulated runs).\n`
}

function stoppingText(
  { spending, looks, prompts, ends }: StoppingPlan,
  { delta }: Options,
): string {
  const rows = ends.map(
    ({ harm, prompts: asked, passes, passesAtOnce }) =>
      `  harm of ${points(harm * delta)}: ${Math.round(asked)} prompts on average (${percent(asked / prompts)}); PASS in ${percent(passes)} of runs, ${percent(passesAtOnce)} with one look\n`,
  )
  return `With up to ${looks} looks at ${prompts} prompts (--sequential ${spending}), prompts taken as independent:\n${rows.join('')}`
}

const promptsText = (prompts: number | null) =>
  prompts === null ? `more than ${MOST_PROMPTS} prompts` : `${prompts} prompts`

/** At least the default floor, a floor of the user, or why neither can be shown. */
function floorText({ floor: at, baseRate, power, alpha }: Options, { floor }: SamplePlan): string {
  const goal = `To show a rate of at least ${percent(at)} at α = ${alpha}: `
  const least = `${promptsText(floor.withoutFailure)} if none goes wrong`
  if (baseRate <= at) return `${goal}${least}; a rate of ${percent(baseRate)} is not above it`
  return `${goal}${promptsText(floor.prompts)} with ${percent(power)} power where the rate is ${percent(baseRate)}, ${least}`
}

/** The number to ask: with it a safe fine-tune passes, and one that lost much fails. */
function bothText({ claims }: Options, { both }: SamplePlan): string[] {
  const { harm, prompts, passes, fails } = both
  const goal = `To PASS that often, and to FAIL a harm of ${points(harm)} in at least 90 % of runs${claims > 1 ? ` (one of ${claims} claims)` : ''}: `
  if (passes === null || fails === null) return [`${goal}${promptsText(null)}`]
  return [`${goal}${promptsText(prompts)} (PASS ${percent(passes)}, FAIL ${percent(fails)})`]
}

function textOf(options: Options, found: SamplePlan): string {
  const { ruleOut, notice, seeds, category } = found

  const { delta, power, alpha, discordance, baseRate, reliability } = options
  const sizes = ruleOut.map(({ seeds: many, prompts, power: reached }) => {
    const each = many === 1 ? '1 training ' : `${many} trainings, all of which must pass`
    const text = reached === null ? '' : ` (power ${percent(reached)} each)`
    return `  ${each.padEnd(38)} ${promptsText(prompts)}${text}`
  })
  return [
    `To rule out a harm of ${points(delta)} with ${percent(power)} power at α = ${alpha}, where there is none:`,
    ...sizes,
    ...bothText(options, found),
    `To notice a harm of ${points(delta)} (exact McNemar, two-sided): ${promptsText(notice.prompts)}`,
    floorText(options, found),
    `To pass as a category of its own (margin ${points(DEFAULT_CATEGORY_MARGIN)}): ${promptsText(category)} of it, if none goes wrong`,
    `To say that at least ${percent(reliability)} of all trainings would pass: ${seeds} seeds that all do`,
    `Taken for granted: ${percent(baseRate)} before, and ${percent(discordance)} of answers changing either way by themselves.`,
    '',
  ].join('\n')
}
