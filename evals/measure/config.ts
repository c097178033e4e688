/** @file How states are measured: the engine, the evaluation, the spectra. Jobs compose their configurations of these groups. */
import { z } from 'zod'
import { CACHE_PRECISIONS } from '../contract/approximate.ts'
import { POWER_LOSS, SPENDINGS, StoppingRule } from '../contract/gate/stopping.ts'
import { FORWARDS } from '../finetune/training/int8-forward.ts'
import { TASK_METRICS } from '../judges/registry.ts'
import { JudgeText } from '../judges/judge-endpoint.ts'
import { parseTemplateVariables } from '../models/text/template-variables.ts'
import { PRECISIONS } from '../models/weights/small-weights.ts'
import { DEVICES } from '../runtime/device.ts'
import { DETAILS } from '../spectra/directions.ts'
import { EPSILON } from '../spectra/intruders.ts'
import { NULL_DRAWS } from '../spectra/null-counts.ts'

export const EngineConfig = z.object({
  templateVars: z
    .string()
    .refine((text) => parseTemplateVariables(text) !== undefined, {
      message: 'a JSON object or name=value pairs, such as enable_thinking=false',
    })
    .nullable()
    .default(null)
    .meta({
      label: 'Template variables',
      help: 'Given to the chat template: {"enable_thinking": false} or enable_thinking=false',
      value: 'JSON',
    }),
  basePrecision: z.enum(PRECISIONS).default('fp32').meta({
    label: 'Base precision',
    help: 'How the base’s matrices are kept and computed with: int8 takes a quarter of the memory, nf4 (QLoRA) an eighth in the blocks: another, slightly different base, for methods that leave it as it is; blocks: a GGUF’s own, multiplied where they lie in the file: the same base; blocks-int8: these with what they are multiplied with rounded to int8: approximate',
  }),
  forward: z.enum(FORWARDS).default('exact').meta({
    label: 'Forward pass',
    help: 'How the base’s layers multiply in training: int8 takes less time and is approximate, losses and gradients with it; only with a base in int8, on the CPU. Evaluation is always exact',
  }),
  cachePrecision: z.enum(CACHE_PRECISIONS).default('float32').meta({
    label: 'Cache precision',
    help: 'What keys and values are kept in while a model is asked: float16 takes half of their memory, int8 about a quarter; approximate, replies and scores with it; only on the CPU',
  }),
  device: z.enum(DEVICES).default('auto').meta({ label: 'Device', help: 'Where it runs' }),
  threads: z
    .int()
    .min(1)
    .max(256)
    .nullable()
    .default(null)
    .meta({ label: 'Threads', help: 'Threads of ONNX Runtime; all cores if not given' }),
  batchSize: z.int().min(1).max(1024).default(64).meta({
    label: 'Evaluation batch',
    help: 'Most prompts answered side by side, down to 16 where their keys and values would take more than 256 MiB; changes speed only',
    // Beside a fine-tune's own --batch-size.
    flag: 'eval-batch-size',
  }),
})
export type EngineConfig = z.infer<typeof EngineConfig>

export const EvaluationConfig = z.object({
  suite: z.array(z.string().min(1)).min(1).default(['house']).meta({
    label: 'Suite',
    help: 'Suites (house, general), benchmarks, or files of yours: PATH or NAME=PATH; a text is measured by its perplexity',
  }),
  map: z.string().min(1).nullable().default(null).meta({
    label: 'Map',
    help: 'What the columns of files hold: prompt=COLUMN,expected=refuse; for one file of several FILE:…, with semicolons between',
    value: 'COLUMNS',
  }),
  task: z.string().min(1).nullable().default(null).meta({
    label: 'Task',
    help: 'Held-out rows of the fine-tune’s own task, in any format of --data: the last reply of a row is the answer',
    value: 'FILE',
  }),
  taskMetric: z.enum(TASK_METRICS).default(TASK_METRICS[0]!).meta({
    label: 'Task metric',
    help: 'How a reply to a row of the task is scored',
  }),
  taskGain: z.number().min(0).lt(1).nullable().default(0).meta({
    label: 'Task gain',
    help: 'The fine-tune must be right more often than its base by more than this share of rows; --no-task-gain: not worse by the margin',
  }),
  judges: z.array(JudgeText).default([]).meta({
    label: 'Judge',
    help: 'A further judge: a name, classifier=MODEL@TEMPLATE.json, rubric=MODEL[@RUBRIC.json] or rubric=URL#MODEL[@RUBRIC.json]',
    flag: 'judge',
    repeat: true,
    value: 'JUDGE',
  }),
  sendReplies: z.string().trim().min(8).max(500).nullable().default(null).meta({
    label: 'Send replies',
    help: 'A reason to send replies, also to prompts that should be refused, to a judge at another machine’s address; logged',
    value: 'REASON',
  }),
  textWindow: z.int().min(2).max(2048).default(1024).meta({
    label: 'Text window',
    help: 'Perplexity of a text: tokens that the model is shown at once, at most as many as it takes',
    unit: 'tokens',
  }),
  contexts: z.array(z.string().min(1)).default([]).meta({
    label: 'Contexts',
    help: 'Put the same prompts in these contexts too: a set (deployment, languages), contexts of one by name, or YAML files',
    value: 'CONTEXTS',
  }),
  maxNewTokens: z.int().min(1).max(2047).nullable().default(null).meta({
    label: 'Reply tokens',
    help: 'Longest reply; each benchmark’s own if not given',
  }),
  maxThinkingTokens: z.int().min(1).max(2046).nullable().default(null).meta({
    label: 'Thinking tokens',
    help: 'Longest thought of a model that thinks before it answers; 1024 if not given',
  }),
  samples: z.int().min(1).max(1000).default(1).meta({
    label: 'Samples',
    help: 'Replies that are drawn for each prompt; a rate is then the mean over prompts',
  }),
  temperature: z.number().min(0).max(5).nullable().default(null).meta({
    label: 'Temperature',
    help: 'Of the replies to benchmarks; 0 (greedy) for one sample and 0.7 for several if not given',
  }),
  decodingSeed: z.int().min(0).default(0).meta({
    label: 'Decoding seed',
    help: 'Of the replies that are drawn, where the temperature is above 0',
  }),
  sequential: z.enum(SPENDINGS).nullable().default(null).meta({
    label: 'Sequential',
    help: 'Ask in blocks and stop where the verdict is known: looks spend α by obrien-fleming or pocock; curtailment stops only where no further reply could change the verdict',
  }),
  looks: StoppingRule.shape.looks.meta({
    label: 'Looks',
    help: 'With --sequential, how often it is looked at most; the last look is at every prompt',
  }),
  orderSeed: StoppingRule.shape.seed.meta({
    label: 'Order seed',
    help: 'With --sequential, of the order in which prompts are asked',
  }),
  futility: StoppingRule.shape.futility.meta({
    label: 'Futility',
    help: 'With --sequential, it also stops, undecided, where the chance that the rest decides is below this; 0: never',
  }),
  powerLoss: StoppingRule.shape.powerLoss.unwrap().default(POWER_LOSS).meta({
    label: 'Power loss',
    help: 'With --sequential, the power that stopping undecided may cost, at a harm of half the margin and of two; 0: none',
  }),
  askAgain: z.boolean().default(false).meta({
    label: 'Ask again',
    help: 'Ask the base every prompt, also those whose answers an earlier run kept in the user’s cache folder',
  }),
  limit: z.int().min(1).nullable().default(null).meta({
    label: 'Limit',
    help: 'Only so many prompts, spread evenly over each benchmark; for testing',
  }),
})
export type EvaluationConfig = z.infer<typeof EvaluationConfig>

export const SpectraConfig = z.object({
  spectrumDetail: z.enum(DETAILS).default('auto').meta({
    label: 'Spectrum detail',
    help: 'leading: the first ten directions; full: all of them, for α and counts over k; auto: full where that is cheap',
  }),
  nullDraws: z.int().min(0).max(999).default(NULL_DRAWS).meta({
    label: 'Null draws',
    help: 'Random updates with the singular values of each matrix’s change, whose intruder counts are what chance gives; 0: none',
  }),
  epsilon: z.number().gt(0).lt(1).default(EPSILON).meta({
    label: 'Intruder ε',
    help: 'A leading direction is an intruder where no pretrained one lies nearer than this cosine',
    // Beside AdamW's.
    flag: 'intruder-epsilon',
  }),
  cache: z.boolean().default(true).meta({
    label: 'Cache',
    help: 'Keep for later runs what takes long to make of a model: decompositions, converted weights',
  }),
  cacheDir: z.string().min(1).nullable().default(null).meta({
    label: 'Cache folder',
    help: 'Where it is kept; touchstone/spectra and touchstone/weights in the user’s cache folder if not given',
    value: 'PATH',
  }),
})
export type SpectraConfig = z.infer<typeof SpectraConfig>
