/** @file The plan that `--dry-run` prints: what would be done, how often, and roughly how long. */
import { MITIGATIONS } from '../contract/mitigation.ts'
import type { Sample } from '../contract/rows.ts'
import type { PlanLine } from '../jobs/job-kind.ts'
import { findMethod } from '../finetune/registry.ts'
import { requireMeasured, storedGate } from '../gate/gate-file.ts'
import { isGuarded } from '../judges/guard.ts'
import { openModel } from '../models/open-model.ts'
import { recognise } from '../models/registry.ts'
import { chooseDevice } from '../runtime/device.ts'
import type { AuditConfig } from './config.ts'
import { evaluationSteps } from './steps.ts'
import {
  generationSeconds,
  measureRate,
  spectraSeconds,
  trainingSeconds,
  workSize,
  type AnswersToWrite,
} from './estimate.ts'
import { prepareBenchmarks } from './benchmark-sources.ts'
import { prepareTexts } from './perplexity.ts'
import { modelPath } from './model-path.ts'
import { neutralTexts, trainingData } from './sources.ts'

/** Characters a token, for estimates only. */
const CHARACTERS_PER_TOKEN = 4
/** What a chat template and its system prompt add. */
const TEMPLATE_TOKENS = 20

export const tokensOf = (texts: readonly string[]): number =>
  TEMPLATE_TOKENS +
  texts.reduce((sum, text) => sum + text.length, 0) /
    Math.max(1, texts.length) /
    CHARACTERS_PER_TOKEN

/** What was written is read once by the base, where the guard against degenerate text asks. */
const underBase = (work: AnswersToWrite, samples: readonly Sample[]): AnswersToWrite => ({
  ...work,
  prompts: samples.filter(({ expected }) => isGuarded(expected)).length,
  promptTokens: work.promptTokens + work.newTokens,
  newTokens: 0,
})

export async function planOf(config: AuditConfig, evaluates: boolean): Promise<PlanLine[]> {
  const open = await openModel(modelPath(config.model))
  const { weights } = recognise(open.checkpoint)
  await open.close()
  const size = workSize(weights)
  const rate = await measureRate(chooseDevice(config.device, config.threads ?? undefined))
  const { steps, batchSize, gradientAccumulationSteps } = config.training
  const arms = config.methods.length * config.seeds.length
  const mitigated = config.mitigate.length * MITIGATIONS.length * (config.candidates.length + arms)
  const states =
    1 +
    config.candidates.length +
    arms * evaluationSteps(steps, config.evalEvery).length +
    mitigated
  const lines: PlanLine[] = []
  if (config.data !== null && arms > 0) {
    const { conversations, title } = await trainingData(config.data)
    const rows = batchSize * gradientAccumulationSteps
    const tokens =
      rows *
      tokensOf(conversations.map((messages) => messages.map(({ content }) => content).join('')))
    const seconds = config.methods.reduce(
      (sum, { name }) =>
        sum + trainingSeconds(size, rate, steps, tokens, findMethod(name).toPeft !== undefined),
      0,
    )
    const what = `read ${conversations.length} rows of ${title}; fine-tune ${arms} arms of ${steps} steps of ${rows} rows`
    lines.push({ what, count: arms * steps, unit: 'step', seconds: seconds * config.seeds.length })
  }
  if (evaluates) {
    const benchmarks = await prepareBenchmarks(config)
    requireMeasured(
      storedGate(config),
      // Judges with a model of their own are known once they are open.
      benchmarks.map(({ benchmark: { name } }) => ({ name })),
    )
    for (const { benchmark, samples } of benchmarks) {
      const promptTokens = tokensOf(
        samples.map(({ messages }) => messages.map(({ content }) => content).join('')),
      )
      const work = {
        prompts: samples.length,
        promptTokens,
        newTokens: benchmark.maxNewTokens,
        batchSize: config.batchSize,
      }
      const what = `${benchmark.title}: ${samples.length} prompts × ${states} model states`
      lines.push({
        what,
        count: samples.length * states,
        unit: 'prompt',
        seconds:
          states * generationSeconds(size, rate, work) +
          (states - 1) * generationSeconds(size, rate, underBase(work, samples)),
      })
    }
    for (const { name, textBytes, words, window } of await prepareTexts(config)) {
      const prompts = Math.ceil(textBytes / CHARACTERS_PER_TOKEN / window)
      const batch = { prompts, promptTokens: window, newTokens: 0, batchSize: 1 }
      lines.push({
        what: `${name}: ${words} words × ${states} model states`,
        count: states,
        unit: 'text',
        seconds: states * generationSeconds(size, rate, batch),
      })
    }
    const texts = await neutralTexts(benchmarks, config.limit)
    const promptTokens = tokensOf(texts.map(({ text }) => text))
    const work = { prompts: texts.length, promptTokens, newTokens: 0, batchSize: config.batchSize }
    lines.push({
      what: `neutral text × ${states} model states`,
      count: texts.length * states,
      unit: 'text',
      seconds: states * generationSeconds(size, rate, work),
    })
  }
  const tuned = (config.candidates.length + arms) * (config.nullArm ? 2 : 1)
  if (config.spectra && tuned > 0) {
    lines.push({
      what: 'spectra of each fine-tune’s linear layers against the base',
      count: tuned * size.matrices.length,
      unit: 'matrix',
      seconds: spectraSeconds(size, tuned),
    })
  }
  return lines
}
