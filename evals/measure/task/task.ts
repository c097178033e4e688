/** @file A fine-tune's own task: held-out rows of data, whose last reply is the answer, as a benchmark. */
import { basename } from 'node:path'
import { z } from 'zod'
import { GREEDY, type Sample } from '../../contract/rows.ts'
import { readData, type DataRow } from '../../data/read-data.ts'
import { TouchstoneError, usageError } from '../../errors/touchstone-error.ts'
import { CHOICE_METRIC } from '../../judges/registry.ts'
import { chosenDecoding, spread, type PreparedBenchmark } from '../benchmark-sources.ts'
import type { EvaluationConfig } from '../config.ts'

type TaskChoice = Partial<
  Pick<
    EvaluationConfig,
    | 'task'
    | 'taskMetric'
    | 'taskGain'
    | 'maxNewTokens'
    | 'limit'
    | 'samples'
    | 'temperature'
    | 'decodingSeed'
  >
>

const NAME = 'task'
/** Longest reply, where none is given: answers of tasks are short. */
const REPLY_TOKENS = 64
/** More different answers are no options to choose from. */
const MOST_OPTIONS = 26

/** None without `--task`. */
export async function prepareTask(choice: TaskChoice): Promise<PreparedBenchmark[]> {
  const { task: path, taskMetric, taskGain, maxNewTokens, limit = null } = choice
  if (!path || !taskMetric) return []
  const { rows } = await readData({ path })
  const all = rows.flatMap((row) => sampleOf(row) ?? [])
  if (all.length === 0) {
    throw new TouchstoneError('data.row', {
      ...{
        path,
        row: 1,
        why: 'no row holds a prompt and a reply, so there is no answer to expect',
      },
    })
  }
  const isChoice = taskMetric === CHOICE_METRIC
  const samples = spread(isChoice ? withOptions(all, path) : all, limit)
  const title = `Task of ${basename(path)}`
  const benchmark = {
    name: NAME,
    title,
    citation: 'The user’s own held-out rows',
    role: 'capability' as const,
    row: z.unknown(),
    parse: () => [...samples],
    maxNewTokens: maxNewTokens ?? REPLY_TOKENS,
    judges: [taskMetric],
    ...(taskGain != null && { gain: taskGain }),
  }
  return [{ benchmark, samples, decoding: isChoice ? GREEDY : chosenDecoding(choice) }]
}

/** Undefined for raw text, which expects nothing. */
function sampleOf({ row, messages: conversation, ...named }: DataRow): Sample | undefined {
  const messages = conversation.flatMap(({ role, content }) =>
    role === 'text' ? [] : [{ role, content }],
  )
  const answer = messages.at(-1)
  if (answer?.role !== 'assistant' || answer.content.trim() === '' || messages.length < 2) {
    return undefined
  }
  const expected = { kind: 'answer' as const, accept: [answer.content] }
  const asked = messages.slice(0, -1)
  return { id: String(row), benchmark: NAME, category: 'all', ...named, messages: asked, expected }
}

/** Every answer of the file is an option of each row. */
function withOptions(samples: readonly Sample[], path: string): Sample[] {
  const answerOf = ({ expected }: Sample) =>
    expected.kind === 'answer' ? expected.accept[0]!.trim() : ''
  const options = [...new Set(samples.map(answerOf))].sort()
  if (options.length < 2 || options.length > MOST_OPTIONS) {
    throw usageError(
      `The rows of ${path} have ${options.length} different answers, which are no options to choose from.`,
      'Choose another --task-metric.',
    )
  }
  return samples.map((sample) => ({
    ...sample,
    expected: { kind: 'choice', options, correct: options.indexOf(answerOf(sample)) },
  }))
}
