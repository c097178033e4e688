/** @file What both sides of the audit bench compute: prompts, texts and training rows as tokens, and the adapter that training begins with. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { adapterOf } from '../../../evals/arms/arm-adapter.ts'
import { openSessionOf } from '../../../evals/arms/arm.ts'
import type { ArmPlan } from '../../../evals/arms/arm-plan.ts'
import { fittedExamples } from '../../../evals/arms/examples.ts'
import { bindMethod } from '../../../evals/finetune/registry.ts'
import { rowsOfStep } from '../../../evals/finetune/training/dataset.ts'
import { namedViews } from '../../../evals/finetune/training/parameters.ts'
import { scheduleFactor } from '../../../evals/finetune/training/schedule.ts'
import { TrainingConfig } from '../../../evals/finetune/training/train.ts'
import { renderPrompt } from '../../../evals/inference/prompt.ts'
import { openBase } from '../../../evals/measure/base.ts'
import { prepareBenchmarks } from '../../../evals/measure/benchmark-sources.ts'
import { neutralTexts, trainingData } from '../../../evals/measure/sources.ts'
import { writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { keyOf } from '../../../evals/contract/keys.ts'

const SEED = 0

export interface Choice {
  readonly model: string
  readonly data: string
  readonly suite: string
  readonly steps: number
  readonly rows: number
  readonly limit: number | null
  readonly threads: number
}

const trainingOf = ({ steps, rows }: Choice): TrainingConfig =>
  TrainingConfig.parse({ steps, batchSize: rows })

/** Benchmark and sample of each prompt, in the order in which the peer answers. */
export type Asked = readonly string[]

/** Writes `work.json` and the adapter into `folder`; the model of the peer is a Hugging Face folder in `hf`. */
export async function writeWork(choice: Choice, folder: string, hf: string): Promise<Asked> {
  const { threads, limit, data, suite, steps, rows } = choice
  const base = await openBase(choice.model, { name: 'cpu', threads }, 16)
  try {
    const { open } = base
    const { signal } = new AbortController()
    const training = trainingOf(choice)
    const benchmarks = await prepareBenchmarks({
      suite: [suite],
      limit,
      map: null,
      maxNewTokens: null,
    })
    const { examples } = await fittedExamples(open, await trainingData(data), training, signal)
    const prompts: { key: string; ids: number[]; maxNewTokens: number }[] = []
    for (const { benchmark, samples } of benchmarks)
      for (const { id, messages } of samples) {
        const { text } = await renderPrompt(open, messages)
        const ids = [...open.tokenizer.encode(text)]
        prompts.push({ key: keyOf(benchmark.name, id), ids, maxNewTokens: benchmark.maxNewTokens })
      }
    const method = bindMethod({ name: 'lora', config: {} })
    const plan: ArmPlan = {
      ...{ arm: 'lora', method, seed: SEED, training, examples, dataDigest: '', evaluateAt: [] },
      evaluation: undefined,
    }
    const session = await openSessionOf(base, plan)
    const parameters = namedViews(session.table, session.parameters)
    const adapter = join(folder, 'adapter')
    await writePeftFolder(
      adapter,
      adapterOf(base, { plan, parameters, prepared: session.prepared }, hf)!,
    )
    await session.release()
    const neutral = (await neutralTexts(benchmarks, limit)).map(({ text }) => [
      ...open.tokenizer.encode(text),
    ])
    const work = {
      ...{ model: hf, adapter, neutral },
      prompts: prompts.map(({ ids, maxNewTokens }) => ({ ids, maxNewTokens })),
      endIds: [...open.tokenizer.endIds],
      padId: open.tokenizer.padId,
      steps: Array.from({ length: steps }, (_, step) =>
        rowsOfStep(examples.length, rows, step, SEED).map((row) => labelledRow(examples[row]!)),
      ),
      learningRates: Array.from(
        { length: steps },
        (_, step) =>
          training.learningRate *
          scheduleFactor(training.schedule, step, training.warmupSteps, steps),
      ),
      optimiser: {
        betas: [training.beta1, training.beta2],
        ...{ eps: training.epsilon, weight_decay: training.weightDecay },
      },
      clip: training.maxGradientNorm,
    }
    await writeFile(join(folder, 'work.json'), JSON.stringify(work))
    return prompts.map(({ key }) => key)
  } finally {
    await base.open.close()
  }
}

function labelledRow(example: { readonly ids: readonly number[]; readonly labelled?: unknown }) {
  if (!Array.isArray(example.labelled)) throw new Error('a row of conversations was expected')
  return { ids: [...example.ids], labelled: example.labelled as boolean[] }
}
