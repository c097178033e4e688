/**
 * @file The base asked the same prompts again: how often two identical runs differ. The prompts come in the opposite order, so that
 * a server that mixes replies up, or lets one depend on what stands beside it, differs too.
 */
import { keyOf } from '../../contract/keys.ts'
import type { JobContext } from '../../contract/job.ts'
import type { RepeatRow } from '../../contract/rows.ts'
import type { Judge } from '../../judges/judge.ts'
import { sha256 } from '../../files/digest.ts'
import { findJudge } from '../../judges/registry.ts'
import { answersOf } from '../answers.ts'
import { spread, type PreparedBenchmark } from '../benchmark-sources.ts'
import { thoughtfulVerdicts } from '../thoughts.ts'
import { servedSubject, type ServedModel } from './subject.ts'

/** Of each benchmark. */
const MOST_PROMPTS = 256

interface Repeating {
  readonly benchmarks: readonly PreparedBenchmark[]
  readonly judges: readonly Judge[]
  /** How often the base is asked in all. */
  readonly times: number
  /** Rows of an earlier attempt. */
  readonly stored: readonly RepeatRow[]
}

export async function repeatBase(
  base: ServedModel,
  { benchmarks, judges, times, stored }: Repeating,
  context: JobContext,
): Promise<void> {
  const found = new Set(stored.map(({ benchmark, repeat }) => keyOf(benchmark, repeat)))
  for (let repeat = 1; repeat < times; repeat++) {
    for (const prepared of benchmarks) {
      if (found.has(keyOf(prepared.benchmark.name, repeat))) continue
      await repeatOne({ ...base, salt: `repeat ${repeat}` }, { prepared, judges, repeat }, context)
    }
  }
}

interface One {
  readonly prepared: PreparedBenchmark
  readonly judges: readonly Judge[]
  readonly repeat: number
}

async function repeatOne(
  model: ServedModel,
  { prepared, judges, repeat }: One,
  { emit, flush, signal }: JobContext,
): Promise<void> {
  const { benchmark, decoding } = prepared
  const samples = spread(prepared.samples, MOST_PROMPTS).toReversed()
  const phase = `base, asked again (${repeat}): ${benchmark.title}`
  emit({ type: 'phase-start', phase, total: samples.length, unit: 'sample' })
  const subject = servedSubject(model)
  const once = { ...prepared, samples, decoding: { ...decoding, samples: 1 } }
  const replies = await answersOf(subject, once, {
    signal,
    onProgress: (done) => emit({ type: 'phase-progress', phase, done }),
    warn: () => undefined,
  })
  const answers = replies.map((reply) => ({ ...reply, baseMeanLogProb: null }))
  const rows: RepeatRow[] = []
  for (const name of benchmark.judges) {
    const judge = judges.find((each) => each.name === name) ?? findJudge(name)
    const fitting = answers.filter(({ sample }) => judge.applies(sample.expected))
    const verdicts = await thoughtfulVerdicts(judge, fitting, { subject, signal })
    fitting.forEach(({ sample, completion }, i) => {
      const { outcome } = verdicts[i]!.verdict
      const asked = { benchmark: benchmark.name, sampleId: sample.id, repeat, judge: name }
      rows.push({ ...asked, outcome, digest: sha256(completion.text) })
    })
  }
  for (const row of rows) emit({ type: 'repeat', row })
  emit({ type: 'phase-end', phase })
  flush()
}
