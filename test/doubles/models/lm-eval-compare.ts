/** @file One model asked as an audit asks it, held against what lm-evaluation-harness said of the same model and files. */
import { join } from 'node:path'
import { expect } from 'vitest'
import { answersOf } from '../../../evals/measure/answers.ts'
import { openBase, openSession, subjectOf } from '../../../evals/measure/base.ts'
import { prepareBenchmarks } from '../../../evals/measure/benchmark-sources.ts'
import { perplexityOf, prepareTexts } from '../../../evals/measure/perplexity.ts'
import type { SubjectIdentity } from '../../../evals/contract/rows.ts'
import type { Subject } from '../../../evals/inference/subject.ts'
import { findJudge } from '../../../evals/judges/registry.ts'

type Answered = Awaited<ReturnType<typeof answersOf>>[number]

interface HarnessSample {
  readonly logLikelihoods: readonly number[]
  readonly acc?: number
  readonly acc_norm?: number
}

interface HarnessTask {
  readonly scores: Readonly<Record<string, number>>
  readonly samples: readonly HarnessSample[]
}

type HarnessModel = Readonly<Record<string, HarnessTask>>

export interface HarnessAnswer {
  readonly models: Readonly<Record<string, HarnessModel>>
}

const { signal } = new AbortController()
const asking = { signal, onProgress: () => {}, warn: () => {} }
const choice = { limit: null, map: null, maxNewTokens: null }

/** Checks every sample's verdict and every rate; returns the largest distances: of log-likelihoods in nats, of perplexities relative. */
export async function compareWithHarness(
  model: string,
  folder: string,
  said: HarnessModel,
  window = 2048,
): Promise<{ logLikelihood: number; perplexity: number }> {
  const base = await openBase(model, { name: 'cpu', threads: 2 }, 4)
  const session = await openSession({ model: base.model, frozen: base.weights }, base.device)
  try {
    const subject = subjectOf(base, {} as SubjectIdentity, session)
    const suite = [join(folder, 'mmlu'), join(folder, 'hellaswag_val.jsonl')]
    const prepared = await prepareBenchmarks({ ...choice, suite })
    let worst = 0
    for (const each of prepared) {
      const answers = await answersOf(subject, each, asking)
      const byTask = Map.groupBy(answers, ({ sample }) =>
        sample.benchmark === 'mmlu' ? `mmlu_${sample.category}` : sample.benchmark,
      )
      for (const [task, own] of byTask)
        worst = Math.max(worst, await compareTask(own, said[task]!, each.benchmark.judges))
    }
    return {
      logLikelihood: worst,
      perplexity: await comparePerplexity(subject, folder, said, window),
    }
  } finally {
    await session.release()
    await base.open.close()
  }
}

/** The harness’s names for our judges. */
const METRICS: Readonly<Record<string, 'acc' | 'acc_norm'>> = {
  choice: 'acc',
  'choice-norm': 'acc_norm',
}

async function compareTask(
  answers: readonly Answered[],
  { samples, scores }: HarnessTask,
  judges: readonly string[],
): Promise<number> {
  expect(answers).toHaveLength(samples.length)
  const judged = answers.map((answer) => ({ ...answer, baseMeanLogProb: null }))
  for (const name of judges) {
    const verdicts = await findJudge(name).judge(judged)
    const ours = verdicts.map(({ outcome }) => Number(outcome === 'correct'))
    const metric = METRICS[name]!
    expect(ours, metric).toEqual(samples.map((sample) => sample[metric]))
    const rate = ours.reduce((sum, value) => sum + value, 0) / ours.length
    expect(rate).toBeCloseTo(scores[metric]!, 12)
  }
  const distances = answers.flatMap(({ optionLogProbs }, i) =>
    optionLogProbs!.map((sum, j) => Math.abs(sum - samples[i]!.logLikelihoods[j]!)),
  )
  return Math.max(...distances)
}

async function comparePerplexity(
  subject: Subject,
  folder: string,
  { text }: HarnessModel,
  window: number,
): Promise<number> {
  const [file] = await prepareTexts({ suite: [join(folder, 'text.txt')], textWindow: window })
  const found = await perplexityOf(subject, file!, { signal, onProgress: () => {} })
  const { word_perplexity, byte_perplexity, bits_per_byte } = text!.scores
  const pairs = [
    [found.logProb, text!.samples[0]!.logLikelihoods[0]!],
    [found.word, word_perplexity!],
    [found.byte, byte_perplexity!],
    [found.bitsPerByte, bits_per_byte!],
  ] as const
  return Math.max(...pairs.map(([ours, theirs]) => Math.abs(ours / theirs - 1)))
}
