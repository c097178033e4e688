/** @file How a task of lm-eval was asked, as far as its results say: template, system instruction, examples, decoding. */
import { z } from 'zod'
import type { BenchmarkRole } from '../../contract/rows.ts'
import { sha256 } from '../../files/digest.ts'
import type { ComparedBenchmark } from '../../findings/gate/compared-run.ts'
import { numberOr, scoredAs, settingsIn } from '../imported.ts'

const Loose = z.record(z.string(), z.unknown())
export const Results = z.object({
  results: z.record(z.string(), Loose),
  configs: z.record(z.string(), Loose).default({}),
  task_hashes: z.record(z.string(), z.unknown()).catch({}).default({}),
  higher_is_better: z.record(z.string(), z.unknown()).catch({}).default({}),
  groups: z.record(z.string(), z.unknown()).catch({}).default({}),
  group_subtasks: z.record(z.string(), z.unknown()).catch({}).default({}),
  'n-samples': z.record(z.string(), z.unknown()).catch({}).default({}),
  versions: z.record(z.string(), z.unknown()).catch({}).default({}),
  config: Loose.default({}),
  model_name: z.string().nullish().catch(null),
  chat_template: z.unknown().optional(),
  chat_template_sha: z.string().nullish().catch(null),
  apply_chat_template: z.unknown().optional(),
  tokenizer_sha: z.string().nullish().catch(null),
  system_instruction_sha: z.unknown().optional(),
  system_instruction: z.unknown().optional(),
  fewshot_as_multiturn: z.unknown().optional(),
})
export type Results = z.infer<typeof Results>

export const recordOr = (value: unknown) => Loose.safeParse(value).data ?? {}

/** Digest of the chat template's text, as lm-eval makes it; null where none was put in, and where a log does not say which. */
export function templateOf({
  chat_template: text,
  chat_template_sha: said,
}: Results): string | null {
  const own = text ? sha256(typeof text === 'string' ? text : JSON.stringify(text)) : null
  // Where the two differ one of them is wrong.
  return said && own && said !== own ? `${said}, of a text with ${own}` : said || own
}

/** What a log says of a template that was put in, and whose text it does not have: its name, or `true`. */
function unknownTemplate(results: Results): unknown {
  if (templateOf(results) !== null) return undefined
  const said = results.apply_chat_template ?? results.config['apply_chat_template']
  return said || results.chat_template === '' || undefined
}

export function benchmarkOf(
  task: string,
  role: BenchmarkRole,
  results: Results,
): ComparedBenchmark {
  const { configs, task_hashes, config, 'n-samples': sizes } = results
  const own = configs[task] ?? {}
  const generation = recordOr(own['generation_kwargs'])
  const digest = task_hashes[task]
  const put = putAs(task, results)
  const { looks } = recordOr(own['metadata'])
  return {
    name: task,
    title: task,
    role,
    ...(isOurs(own) && typeof looks === 'string' && { looks }),
    promptSetDigest: [put, digest].filter((part) => typeof part === 'string').join(' ') || null,
    decoding: {
      maxNewTokens: numberOr(generation['max_gen_toks']),
      temperature: numberOr(generation['temperature']),
      seed: numberOr(config['random_seed']),
    },
    replies: numberOr(recordOr(sizes[task])['effective']),
  }
}

/** What a log's task says of how its documents become prompts, and prompts replies. */
const PUT_BY =
  'dataset_path dataset_name test_split validation_split fewshot_split num_fewshot fewshot_config description doc_to_text doc_to_target doc_to_choice process_docs target_delimiter fewshot_delimiter gen_prefix output_type repeats'.split(
    ' ',
  )

/** "5 shots, 1f…"; undefined where the log says nothing, or says its prompts by our own digest. */
function putAs(task: string, results: Results): string | undefined {
  const config = results.configs[task] ?? {}
  if (isOurs(config)) return undefined
  const generation = Object.entries(recordOr(config['generation_kwargs'])).filter(
    ([name]) => name !== 'max_gen_toks' && name !== 'temperature',
  )
  const { system_instruction_sha: sha, system_instruction: system } = results
  const said = scoredAs({
    ...Object.fromEntries(PUT_BY.map((name) => [name, config[name]])),
    ...(generation.length > 0 && { generation }),
    system: sha ?? system,
    template: unknownTemplate(results),
    isMultiturn: results.fewshot_as_multiturn || undefined,
    settings: settingsIn([results.config['model_args'], results.config['gen_kwargs']]),
  })
  if (said === '') return undefined
  const { num_fewshot: shots } = config
  return typeof shots === 'number' ? `${shots} shots, ${said}` : said
}

/** By what our own logs say of their judge. */
export const isOurs = (config: Readonly<Record<string, unknown>>): boolean =>
  typeof recordOr(config['metadata'])['judge'] === 'string'
