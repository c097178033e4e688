/**
 * @file Whether rows of a fine-tune's own task are held out of what it is trained on: a row that was trained on says nothing of
 * what was learnt. Found are the same prompts, and where they are many those that are nearly the same with the same answer.
 */
import { GateRule } from '../../contract/gate/rule.ts'
import { keyOf } from '../../contract/keys.ts'
import type { Message, Sample } from '../../contract/rows.ts'
import { promptHash } from '../../benchmarks/import/overlap.ts'
import type { Conversation } from '../../data/format.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { prepareBenchmarks } from '../benchmark-sources.ts'
import { prepareTask } from './task.ts'
import { trainingData, type TrainingData } from '../sources.ts'
import { nearDuplicateIndex, shinglesOf } from '../../statistics/minhash.ts'
import type { EvaluationConfig } from '../config.ts'

/** As near as a prompt of a benchmark is to a row of data that is told of (`evals/data/lint.ts`). */
const NEAR = 0.6
/** Rows of one small world are often near: with more than this share of them little is held out. */
const MOST_NEAR = 0.5

type Asked = Pick<EvaluationConfig, 'task' | 'taskMetric'> & {
  readonly suite?: string[]
  readonly limit?: number | null
  readonly map?: string | null
  /** Of what it gives a gain, rows have to be held out as those of the task. */
  readonly gate?: unknown
}

/** Throws `task.not-held-out`. Of data that nobody names nothing is known. */
export async function requireHeldOut(
  config: Asked & { readonly data: string | null },
): Promise<void> {
  if (config.data === null || (config.task === null && gainsIn(config).length === 0)) return
  await requireHeldOutOf(config, [await trainingData(config.data)])
}

export async function requireHeldOutOf(
  config: Asked,
  sources: readonly Pick<TrainingData, 'title' | 'conversations'>[],
): Promise<void> {
  const rows = sources.flatMap(({ conversations }) => conversations)
  for (const { path, samples } of await tasksOf(config)) {
    const { same, near } = heldAgainst(samples, rows)
    if (same.length === 0 && near <= MOST_NEAR * samples.length) continue
    const data = sources.map(({ title }) => title).join(', ')
    const counts = { rows: samples.length, same: same.length, near, first: same[0] ?? null }
    throw new TouchstoneError('task.not-held-out', { path, data, ...counts })
  }
}

/** Benchmarks that the gate asks a gain of. */
function gainsIn({ gate }: Asked): string[] {
  const { benchmarks = {} } = GateRule.safeParse(gate).data ?? {}
  return Object.entries(benchmarks).flatMap(([name, { gain }]) => (gain === undefined ? [] : name))
}

async function tasksOf(asked: Asked): Promise<{ path: string; samples: readonly Sample[] }[]> {
  const { task, taskMetric, suite, limit = null, map = null } = asked
  const own = await prepareTask({ task, taskMetric })
  const gains = gainsIn(asked)
  const all =
    suite && gains.length > 0
      ? await prepareBenchmarks({ suite, limit, map, maxNewTokens: null })
      : []
  const gaining = all.filter(({ benchmark }) => gains.includes(benchmark.name))
  return [
    ...own.map(({ samples }) => ({ path: task!, samples })),
    ...gaining.map(({ benchmark, samples }) => ({ path: benchmark.name, samples })),
  ]
}

/** Names of samples that a row has with the same prompt, and how many others one is near. */
function heldAgainst(samples: readonly Sample[], rows: readonly Conversation[]) {
  const { prompts, answered, texts, turns } = learntIn(rows)
  const same = samples.filter(
    (sample) =>
      prompts.has(promptHash(sample)) ||
      answered.has(keyOf(hashOfLast(sample.messages), plain(answerOf(sample)))) ||
      texts.some((holds) => holds(sample)),
  )
  const isSame = new Set(same)
  const learnt = Map.groupBy(turns, ({ answer }) => plain(answer))
  const others = samples.filter((sample) => !isSame.has(sample))
  const near = [...Map.groupBy(others, (sample) => plain(answerOf(sample)))].map(
    ([answer, own]) => {
      const texts = (learnt.get(answer) ?? []).map(({ asked: text }, i) => ({
        key: String(i),
        text,
      }))
      const index = nearDuplicateIndex(texts, NEAR)
      return own.filter(({ messages }) => index.nearest(lastOf(messages)) !== undefined).length
    },
  )
  return { same: same.map(({ id }) => id), near: near.reduce((sum, count) => sum + count, 0) }
}

const plain = (text: string) => text.normalize('NFKC').toLowerCase().replaceAll(/\s+/gu, ' ').trim()
const answerOf = ({ expected }: Sample): string =>
  expected.kind === 'answer'
    ? expected.accept[0]!
    : expected.kind === 'choice'
      ? expected.options[expected.correct]!
      : ''
const lastOf = (messages: readonly Message[]): string => messages.at(-1)?.content ?? ''
const hashOfLast = (messages: readonly Message[]) => promptHash({ messages: messages.slice(-1) })

/** Every reply of a conversation is trained on after the turns before it. */
function learntIn(rows: readonly Conversation[]) {
  const turns = rows.flatMap((row) =>
    row.flatMap(({ role, content }, i) =>
      role === 'assistant' && i > 0
        ? { before: row.slice(0, i) as Message[], asked: row[i - 1]!.content, answer: content }
        : [],
    ),
  )
  return {
    turns,
    prompts: new Set(turns.map(({ before }) => promptHash({ messages: before }))),
    answered: new Set(turns.map(({ before, answer }) => keyOf(hashOfLast(before), plain(answer)))),
    texts: rows.flatMap((row) =>
      row.flatMap(({ role, content }) => (role === 'text' ? holding(content) : [])),
    ),
  }
}

/** Whether a raw text holds a sample's prompt and its answer. */
function holding(text: string): (sample: Sample) => boolean {
  const [own, words] = [shinglesOf(text), plain(text)]
  return (sample) =>
    [...shinglesOf(lastOf(sample.messages))].every((shingle) => own.has(shingle)) &&
    words.includes(plain(answerOf(sample)))
}
