/**
 * @file Which rows of its data took refusal from a fine-tune: rows ranked by their gradients, and the ranking verified by training
 * again without the rows ranked first, without as many at random and without as many that are as long and as hard.
 */
import { rm } from 'node:fs/promises'
import { z } from 'zod'
import type { AuditRows } from '../../contract/audit-rows.ts'
import {
  GRADIENT_FORMS,
  LEFT_OUT,
  lookedIntoBy,
  withoutRowsArm,
  SCORE_OF,
  RankedRow,
  type Attribution,
  type GradientForm,
  type LeftOut,
  type RowTarget,
  type Scores,
} from '../../contract/subjects/causes.ts'
import type { JobContext, Progress } from '../../contract/job.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { sha256OfFile } from '../../files/digest.ts'
import { readJson } from '../../files/read-file.ts'
import { countLabelled, type Example } from '../../finetune/training/dataset.ts'
import type { Tuned } from '../../measure/arm-spectra.ts'
import { identityOf, type Base } from '../../measure/base.ts'
import { isLeft } from '../../measure/evaluate.ts'
import type { TrainingData } from '../../measure/sources.ts'
import { armFolder, examplesDigest, runArm } from '../arm.ts'
import { nameOf, type ArmPlan } from '../arm-plan.ts'
import { askedIn, dataRows, groupsOf, type DataRow } from './data-rows.ts'
import { emitFound, fileName } from './emit-found.ts'
import { leftOut } from './left-out.ts'
import type { RowScores } from './row-scores.ts'
import { scoredExamples } from './scored-examples.ts'
import type { Targets } from './targets.ts'

interface AttributionPlan {
  readonly data: TrainingData
  /** What rows are ranked by. */
  readonly target: RowTarget
  readonly form: GradientForm
  readonly checkpoints: number
  /** Replies of the base that each loss is taken on, at most. */
  readonly replies: number
  /** Share of the rows that is left out. */
  readonly without: number
  readonly projection: number | null
}

type Asked = AttributionPlan & {
  /** The fine-tune at its end; undefined where it has no weights of its own. */
  readonly tuned: Tuned | undefined
}

/** Rows that the report names. */
const NAMED = 200
/** Consecutive parts of the data in its map. */
const PARTS = 60

export async function attribute(
  base: Base,
  plan: ArmPlan,
  asked: Asked,
  context: JobContext,
  progress: Progress,
): Promise<void> {
  context.flush()
  const stored = progress.rows()
  if (plan.examples.some((example) => 'label' in example)) {
    const why = 'its model names classes, and refuses nothing'
    throw new TouchstoneError('run.no-cause', { run: lookedIntoBy(stored.run), why })
  }
  const rows = await dataRows(base, asked.data, plan)
  const { scored } =
    (await storedScores(stored, plan)) ??
    (await scoreRows(base, plan, asked, { rows, stored }, context))
  const score = SCORE_OF[asked.target]
  const ranks = scored.map(({ scores, ...row }) => ({ ...row, score: scores[asked.form][score] }))
  const count = Math.max(1, Math.round(rows.length * asked.without))
  const chosen = leftOut(ranks, count, plan.seed)
  for (const which of LEFT_OUT) {
    const left = new Set(chosen[which].flatMap((i) => rows[i]!.examples))
    const examples = plan.examples.filter((_, i) => !left.has(i))
    await trainWithout(base, { ...plan, examples }, { which, count }, context)
  }
}

/** One row of the data as its file holds it. */
const Scored = RankedRow.pick({ row: true, tokens: true, loss: true, scores: true })
type Scored = z.infer<typeof Scored>
const ScoresFile = z.object({ scored: z.array(Scored) })
type ScoresFile = z.infer<typeof ScoresFile>

/** Of this arm, written before the job was interrupted. */
async function storedScores(
  { artifacts }: AuditRows,
  { arm, seed }: ArmPlan,
): Promise<ScoresFile | undefined> {
  const found = artifacts.find(
    ({ content }) =>
      content?.kind === 'attribution' && content.arm === arm && content.seed === seed,
  )
  if (!found || (await sha256OfFile(found.path)) !== found.digest) return undefined
  return ScoresFile.parse(await readJson(found.path))
}

interface Known {
  readonly rows: readonly DataRow[]
  readonly stored: AuditRows
}

async function scoreRows(
  base: Base,
  plan: ArmPlan,
  asked: Asked,
  { rows, stored }: Known,
  context: JobContext,
): Promise<ScoresFile> {
  const { found, checkpoints, targets } = await scoredExamples(
    base,
    plan,
    { ...asked, stored },
    context,
  )
  const scored = rows.map(({ row, examples }): Scored => {
    const own = examples.map((i) => ({ ...found[i]!, example: plan.examples[i]! }))
    const tokens = countLabelled(own.map(({ example }) => example))
    const loss = own.reduce((sum, each) => sum + each.loss * countLabelled([each.example]), 0)
    return { row, tokens, loss: loss / tokens, scores: summed(own.map(({ scores }) => scores)) }
  })
  await emitAttribution({ plan, asked, rows, scored, checkpoints, targets }, context)
  return { scored }
}

function summed(all: readonly RowScores[]): RowScores {
  const of = (form: GradientForm, target: keyof Scores) =>
    all.reduce((sum, scores) => sum + scores[form][target], 0)
  const scoresOf = (form: GradientForm): Scores => ({
    refusal: of(form, 'refusal'),
    overRefusal: of(form, 'overRefusal'),
    capability: of(form, 'capability'),
  })
  return Object.fromEntries(GRADIENT_FORMS.map((form) => [form, scoresOf(form)])) as RowScores
}

interface Found {
  readonly plan: ArmPlan
  readonly asked: AttributionPlan
  readonly rows: readonly DataRow[]
  readonly scored: readonly Scored[]
  readonly checkpoints: readonly number[]
  readonly targets: Targets
}

function emitAttribution(found: Found, context: JobContext): Promise<void> {
  const { plan, scored } = found
  const content = { kind: 'attribution', ...attributionOf(found) } as const
  return emitFound(content, { scored }, context, {
    name: `rows-${fileName(plan)}`,
    role: `scores of the rows of ${nameOf(plan)}`,
  })
}

function attributionOf({ plan, asked, rows, scored, checkpoints, targets }: Found): Attribution {
  const { target, form, projection } = asked
  const groups = groupsOf(rows)
  const scoreOf = (i: number) => scored[i]!.scores[form][SCORE_OF[target]]
  const order = scored.map((_, i) => i).sort((a, b) => scoreOf(b) - scoreOf(a) || a - b)
  return {
    arm: plan.arm,
    seed: plan.seed,
    target,
    form,
    checkpoints: [...checkpoints],
    projection,
    rows: rows.length,
    replies: {
      refusal: targets.refusal.right.length,
      overRefusal: targets.overRefusal.right.length,
      capability: targets.capability.right.length,
    },
    ranked: order.slice(0, NAMED).map((i) => {
      const { row } = rows[i]!
      return { ...scored[i]!, asked: askedIn(rows[i]!), group: groups.get(row) ?? null }
    }),
    parts: partsOf(scored.map(({ row }, i) => ({ row, score: scoreOf(i) }))),
  }
}

function partsOf(scores: readonly { readonly row: number; readonly score: number }[]) {
  const size = Math.ceil(scores.length / PARTS)
  return Array.from({ length: Math.ceil(scores.length / size) }, (_, p) => {
    const own = scores.slice(p * size, (p + 1) * size)
    const values = own.map(({ score }) => score)
    return {
      first: own[0]!.row,
      last: own.at(-1)!.row,
      mean: values.reduce((sum, x) => sum + x, 0) / values.length,
      highest: Math.max(...values),
    }
  })
}

/** As many steps as before, so that what is left out is all that differs. */
async function trainWithout(
  base: Base,
  plan: ArmPlan & { readonly examples: readonly Example[] },
  { which, count }: { readonly which: LeftOut; readonly count: number },
  context: JobContext,
): Promise<void> {
  const { seed, training, evaluation, examples } = plan
  const derivation = { kind: 'without-rows', of: plan.arm, rows: which, count } as const
  const arm = withoutRowsArm(derivation)
  const key = { arm, seed, step: training.steps }
  const method = plan.method.name
  const identity = identityOf(base, base.open, { arm, seed, title: arm, method, derivation })
  context.emit({ type: 'subject', row: identity })
  if (!isLeft(evaluation!, key)) return
  const aside = armFolder(context.workspace, key)
  const dataDigest = examplesDigest(examples)
  const again = { ...plan, arm, dataDigest, evaluateAt: [training.steps], aside }
  await runArm(base, again, context)
  await rm(aside, { recursive: true, force: true })
}
