/**
 * @file Replies for people to label, blind: drawn and shuffled with a seed, under names that tell neither arm nor step,
 * without any judge's verdict. Replies to prompts that should be refused are apart.
 *
 * Of each benchmark both states of a comparison are drawn, the base and a last step, prompt by prompt: prompts are divided by what
 * the deciding judge says of both replies, and from each stratum as many are drawn as from any other, or all of it. Every
 * comparison takes prompts in the same random order, so that they share the base's replies as far as they can.
 */
import { randomBytes } from 'node:crypto'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { LabelItem } from '../contract/evidence.ts'
import { firstJudge, isBase, keyOf, lastSteps, replyKey, stateKey } from '../contract/keys.ts'
import type { ReplyKey, ReplyRow, SealedReply } from '../contract/rows.ts'
import { unknownName } from '../errors/names.ts'
import { spreadOver } from '../statistics/judges/label-plan.ts'
import { randomStream } from '../statistics/random.ts'
import { storedGate } from './gate/gate-file.ts'
import { drawnAs } from './gate/tests/labelled.ts'

export interface LabelTask {
  readonly item: string
  readonly prompt: string
  readonly reply: string
}

interface DrawnItems {
  readonly items: readonly LabelItem[]
  readonly open: readonly LabelTask[]
  readonly sealed: readonly LabelTask[]
}

interface DrawOptions {
  /** About how many replies, always before and after; of `chosen` ones the first. */
  readonly count: number
  readonly seed: number
  /** Every benchmark outside of contexts where null. */
  readonly benchmark: string | null
  /** These replies, with the base's to the same prompts, in place of a random draw. */
  readonly chosen?: readonly ReplyKey[] | undefined
}

/** A reply with a text, and how it came in. */
interface Candidate {
  readonly row: ReplyRow
  readonly text: string
  readonly isSealed: boolean
}
type Drawn = Candidate & Pick<LabelItem, 'draw' | 'drawnBy'>

/**
 * `known` items keep their names, so that a file may be written again; once chosen they stay chosen, and once drawn at random they
 * still stand for others. Sealed replies are drawn only where they are given. */
export function drawItems(
  rows: AuditRows,
  sealed: readonly SealedReply[],
  known: readonly LabelItem[],
  options: DrawOptions,
): DrawnItems {
  const { benchmark, count, seed, chosen } = options
  const names = rows.benchmarks.map(({ name }) => name)
  if (benchmark !== null && !names.includes(benchmark)) {
    throw unknownName('benchmark in this run', benchmark, names)
  }
  const candidates = candidatesOf(rows, sealed, benchmark)
  const drawn = chosen ? chosenOf(candidates, chosen, count) : randomOf(rows, candidates, options)
  const knownOf = new Map(known.map((item) => [replyKey(item), item]))
  const named = randomStream(seed, 'labelling')
    .shuffle(drawn)
    .map((each) => {
      const before = knownOf.get(replyKey(each.row))
      return {
        ...each,
        item: before?.item ?? randomBytes(6).toString('hex'),
        draw: before?.draw === 'chosen' ? before.draw : each.draw,
        drawnBy: each.drawnBy ?? before?.drawnBy ?? null,
      }
    })
  const tasks = (sealedOnes: boolean) =>
    named
      .filter(({ isSealed }) => isSealed === sealedOnes)
      .map(({ item, row, text }) => ({ item, prompt: row.prompt, reply: text }))
  return { items: named.map(toItem), open: tasks(false), sealed: tasks(true) }
}

function toItem({ item, row, draw, drawnBy }: Drawn & { readonly item: string }): LabelItem {
  const { arm, seed, step, benchmark, sampleId, epoch } = row
  return { item, arm, seed, step, benchmark, sampleId, epoch, draw, drawnBy }
}

/**
 * Replies of the base and of last steps, which claims rest on. A multiple-choice reply is an option that was never written, so
 * there is nothing to label.
 */
function candidatesOf(
  { replies, evaluations, benchmarks }: AuditRows,
  sealed: readonly SealedReply[],
  benchmark: string | null,
): Candidate[] {
  const apart = new Map(sealed.map((row) => [replyKey(row), row.text]))
  const isLast = lastSteps(evaluations)
  const plain = new Set(benchmarks.flatMap(({ name, context }) => (context ? [] : [name])))
  return replies.flatMap((row) => {
    const isAsked = benchmark === null ? plain.has(row.benchmark) : row.benchmark === benchmark
    if (!isAsked || row.expected.kind === 'choice' || !(isBase(row) || isLast(row))) return []
    const text = row.text ?? apart.get(replyKey(row))
    return text === undefined ? [] : [{ row, text, isSealed: row.text === null }]
  })
}

/** The first `count`, with the base's reply to the same prompt, so that a rater cannot know which state was chosen. */
function chosenOf(
  candidates: readonly Candidate[],
  chosen: readonly ReplyKey[],
  count: number,
): Drawn[] {
  const known = new Set(candidates.map(({ row }) => replyKey(row)))
  const wanted = new Set(
    chosen
      .map(replyKey)
      .filter((key) => known.has(key))
      .slice(0, count),
  )
  const prompts = new Set(
    candidates.filter(({ row }) => wanted.has(replyKey(row))).map(({ row }) => promptKey(row)),
  )
  return candidates
    .filter(({ row }) => wanted.has(replyKey(row)) || (isBase(row) && prompts.has(promptKey(row))))
    .map((each) => ({ ...each, draw: 'chosen' as const, drawnBy: null }))
}

const promptKey = ({ benchmark, sampleId, epoch }: ReplyKey) => keyOf(benchmark, sampleId, epoch)

function randomOf(
  rows: AuditRows,
  candidates: readonly Candidate[],
  { count, seed }: DrawOptions,
): Drawn[] {
  const byBenchmark = [...Map.groupBy(candidates, ({ row }) => row.benchmark)]
  return byBenchmark.flatMap(([name, own]) => {
    const benchmark = rows.benchmarks.find((each) => each.name === name)!
    const drawnBy =
      storedGate(rows.run.config)?.benchmarks[benchmark.context?.of ?? name]?.judge ??
      firstJudge(benchmark)
    const says = new Map(
      rows.verdicts
        .filter((row) => row.benchmark === name && row.judge === drawnBy)
        .map((row) => [replyKey(row), drawnAs(benchmark.role, row.outcome)]),
    )
    const states = [...Map.groupBy(own, ({ row }) => stateKey(row)).values()].map(
      (group) => new Map(group.map((each) => [promptKey(each.row), each])),
    )
    const base = states.find((state) => isBase([...state.values()][0]!.row))
    const others = states.filter((state) => state !== base)
    const comparisons = base && others.length > 0 ? others.map((other) => [base, other]) : [states]
    const prompts = [...new Set(own.map(({ row }) => promptKey(row)))].sort()
    const order = randomStream(seed, `labelling ${name}`).shuffle(prompts)
    const total = Math.max(1, Math.floor(count / byBenchmark.length / states.length))
    const keys = comparisons.flatMap((compared) => {
      const shared = order.filter((prompt) => compared.every((state) => state.has(prompt)))
      const replies = (prompt: string) => compared.map((state) => state.get(prompt)!)
      const stratum = (prompt: string) =>
        replies(prompt)
          .map(({ row }) => says.get(replyKey(row)) ?? '-')
          .join()
      return drawnFrom([...Map.groupBy(shared, stratum).values()], total).flatMap(replies)
    })
    return [...new Set(keys)].map((each) => ({ ...each, draw: 'random' as const, drawnBy }))
  })
}

function drawnFrom(strata: readonly (readonly string[])[], total: number): string[] {
  const taken = spreadOver(
    strata.map(({ length }) => length),
    total,
  )
  return strata.flatMap((prompts, i) => prompts.slice(0, taken[i]))
}
