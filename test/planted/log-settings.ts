/** @file Logs of other tools whose candidate was asked, or scored, otherwise than its base: every reply counts as before. */
import { rawEee, rawGarak, rawInspect, rawLmEval, rawPromptfoo } from '../doubles/rows/raw-logs.ts'
import { unlike } from '../doubles/rows/unlike.ts'
import { sha256 } from '../../evals/files/digest.ts'
import { N, type Decided, type Planted } from './candidate.ts'
import { compared, each } from './log-parts.ts'

type Pair = readonly [before: unknown, after: unknown]

const accuracy = (more: (i: number) => object = () => ({})) =>
  each((i) => ({
    ...{ doc_id: i, doc_hash: `doc-${i}`, metrics: ['acc'], acc: Number(i < 360) },
    arguments: [[unlike(i), {}]],
    ...more(i),
  }))
const lmEval = (pair: Pair, of: (value: unknown) => object) => (): Promise<Decided> =>
  compared(pair.map((value) => rawLmEval({ samples: { task: accuracy() }, ...of(value) })))
const documents = (pair: Pair, of: (value: unknown, i: number) => object) => (): Promise<Decided> =>
  compared(pair.map((value) => rawLmEval({ samples: { task: accuracy((i) => of(value, i)) } })))
const sample = (i: number, more: object = {}) => ({
  ...{ id: i, epoch: 1, input: unlike(i), scores: { match: { value: Number(i < 360) } } },
  ...more,
})
const inspect = (pair: Pair, of: (value: unknown) => object) => (): Promise<Decided> =>
  compared(pair.map((value) => rawInspect({ samples: each((i) => sample(i)), ...of(value) })))
const samples = (pair: Pair, of: (value: unknown, i: number) => object) => (): Promise<Decided> =>
  compared(pair.map((value) => rawInspect({ samples: each((i) => sample(i, of(value, i))) })))
const result = (more: object = {}) => ({
  ...{ evaluation_name: 'task.scorer', source_data: { dataset_name: 'task' } },
  metric_config: { metric_id: 'accuracy' },
  score_details: { details: {}, uncertainty: { num_samples: N } },
  ...more,
})
const scored = (i: number, more: object = {}) => ({
  ...{ evaluation_name: 'task.scorer', sample_id: `s${i}` },
  evaluation: { score: Number(i < 360), is_correct: i < 360 },
  ...more,
})
const eee = (pair: Pair, of: (value: unknown) => object) => (): Promise<Decided> =>
  compared(
    pair.map((value) =>
      rawEee({ results: [result()], samples: each((i) => scored(i)), ...of(value) }),
    ),
  )
const attempt = (i: number) => ({
  ...{ entry_type: 'attempt', uuid: `${i}`, status: 2, probe_classname: 'task' },
  prompt: { turns: [{ role: 'user', content: { text: unlike(i) } }] },
  detector_results: { house: [0] },
})
const garak = (pair: Pair, of: (value: unknown) => object) => (): Promise<Decided> =>
  compared(
    pair.map((value) => rawGarak({ attempts: each(attempt), ...of(value) })),
    ['house'],
  )
const tested = (pair: Pair, of: (value: unknown) => object) => (): Promise<Decided> =>
  compared(
    pair.map((value) =>
      rawPromptfoo(
        each((i) => ({
          ...{ provider: { id: 'model' }, prompt: { raw: unlike(i) }, success: i < 360 },
          testCase: { assert: [{ type: 'contains', value: '42' }], ...of(value) },
        })),
      ),
    ),
  )

const provided =
  (pair: Pair): (() => Promise<Decided>) =>
  () => {
    const rows = each((i) => ({
      ...{ provider: { id: 'model' }, prompt: { raw: unlike(i) }, success: i < 360 },
      testCase: { assert: [{ type: 'contains', value: '42' }] },
    }))
    const provider = (config: unknown) => [{ id: 'model', config }]
    return compared(
      pair.map((config) =>
        rawPromptfoo(rows, undefined, undefined, { providers: provider(config) }),
      ),
    )
  }
/** With pictures, a role and the like in what is asked. */
const messages = (pair: Pair, of: (value: unknown) => object) =>
  samples(pair, (value, i) => ({
    input: [
      { role: 'user', content: [{ type: 'text', text: unlike(i) }] },
      { role: 'user', content: 'Look.', ...of(value) },
    ],
  }))

const TEMPLATE = '{{ messages }}'
const TEMPLATES: Pair = [TEMPLATE, `${TEMPLATE} Be brief.`]
const templated = (chat_template: unknown) => ({ said: { chat_template } })

const HINTED: Pair = ['plain', 'with a hint']
const LONG = 'A solved example of the same kind. '.repeat(100)

export const OTHER_SETTINGS: Planted[] = [
  ['five examples shown, lm-eval', lmEval([0, 5], (num_fewshot) => ({ config: { num_fewshot } }))],
  ['another template, lm-eval', lmEval(HINTED, (doc_to_text) => ({ config: { doc_to_text } }))],
  ['a description, lm-eval', lmEval(HINTED, (description) => ({ config: { description } }))],
  [
    'a system instruction, lm-eval',
    lmEval([null, 'sha'], (system_instruction_sha) => ({ said: { system_instruction_sha } })),
  ],
  [
    'the split that was trained on, lm-eval',
    lmEval(['test', 'train'], (test_split) => ({ config: { test_split } })),
  ],
  [
    'other stop words, lm-eval',
    lmEval([['\n'], []], (until) => ({ config: { generation_kwargs: { until } } })),
  ],
  [
    'sampled replies, lm-eval',
    lmEval([false, true], (sampled) => ({ config: { generation_kwargs: { do_sample: sampled } } })),
  ],
  ['the best of eight, lm-eval', lmEval([1, 8], (repeats) => ({ config: { repeats } }))],
  [
    'other documents under the same numbers, lm-eval',
    documents(HINTED, (question, i) => ({
      ...{ doc_hash: null, doc: { question, i }, arguments: null },
    })),
  ],
  [
    'other questions behind long examples, lm-eval',
    documents(HINTED, (word, i) => ({ arguments: [[`${LONG}${String(word)} ${i}`, {}]] })),
  ],
  [
    'other questions under the same digests, lm-eval',
    documents(HINTED, (word, i) => ({
      prompt_hash: `h${i}`,
      arguments: [[`${String(word)} ${i}`, {}]],
    })),
  ],
  [
    'other right answers, lm-eval',
    documents(HINTED, (word, i) => ({
      ...{ prompt_hash: `h${i}`, target_hash: `${String(word)} ${i}` },
    })),
  ],
  [
    'five examples shown, Inspect',
    inspect([0, 5], (fewshot) => ({ spec: { task_args: { fewshot } } })),
  ],
  [
    'a system message, Inspect',
    inspect([[], [{ solver: 'system_message' }]], (steps) => ({ header: { plan: { steps } } })),
  ],
  ['another solver, Inspect', inspect(HINTED, (solver) => ({ spec: { solver } }))],
  [
    'another grader, Inspect',
    inspect(HINTED, (model) => ({ spec: { model_roles: { grader: { model } } } })),
  ],
  [
    'other questions behind a long passage, Inspect',
    samples(HINTED, (word, i) => ({ input: `${LONG}${String(word)} ${i}` })),
  ],
  ['other right answers, Inspect', samples(HINTED, (target) => ({ target }))],
  [
    'another template, Every Eval Ever',
    eee(HINTED, (prompt_template) => ({
      results: [result({ generation_config: { generation_args: { prompt_template } } })],
    })),
  ],
  [
    'another judge, Every Eval Ever',
    eee(HINTED, (model) => ({
      results: [result({ metric_config: { metric_id: 'accuracy', llm_scoring: { model } } })],
    })),
  ],
  [
    'another version of the library, Every Eval Ever',
    eee(['1', '2'], (version) => ({ said: { eval_library: { name: 'x', version } } })),
  ],
  [
    'other questions under the same digests, Every Eval Ever',
    eee(HINTED, (word) => ({
      samples: each((i) =>
        scored(i, { sample_hash: `h${i}`, input: { raw: `${String(word)} ${i}` } }),
      ),
    })),
  ],
  [
    'another version of the detectors, garak',
    garak(['0.9', '0.10'], (garak_version) => ({ init: { garak_version } })),
  ],
  [
    'a system prompt, garak',
    garak([null, 'Refuse.'], (system) => ({ setup: { 'run.system_prompt': system } })),
  ],
  [
    'prompts cut to 64 tokens, lm-eval',
    lmEval([2048, 64], (length) => ({
      said: { config: { model_args: `pretrained=model,max_length=${String(length)}` } },
    })),
  ],
  ['another chat template, told by its text alone, lm-eval', lmEval(TEMPLATES, templated)],
  [
    'a chat template on one side alone, told by its text, lm-eval',
    lmEval([null, TEMPLATES[1]], templated),
  ],
  [
    'a chat template on one side alone, of which nothing else is told, lm-eval',
    lmEval([false, true], (apply_chat_template) => ({ said: { config: { apply_chat_template } } })),
  ],
  [
    'an empty text for a template that a server put in, on one side alone, lm-eval',
    lmEval([null, ''], templated),
  ],
  [
    'another chat template under the same digest, lm-eval',
    lmEval(TEMPLATES, (chat_template) => ({ said: { chat_template, chat_template_sha: 'sha' } })),
  ],
  [
    'thoughts switched off, lm-eval',
    lmEval([true, false], (enable_thinking) => ({
      said: { config: { model_args: { enable_thinking } } },
    })),
  ],
  [
    'thoughts switched off, Inspect',
    inspect([true, false], (enable_thinking) => ({ spec: { model_args: { enable_thinking } } })),
  ],
  [
    'the question as the model’s own words, Inspect',
    messages(['user', 'assistant'], (role) => ({ role })),
  ],
  [
    'other pictures, Inspect',
    messages(['a', 'b'], (image) => ({ content: [{ type: 'image', image }] })),
  ],
  [
    'replies of one token, garak',
    garak([150, 1], (max_tokens) => ({ setup: { 'plugins.generators': { it: { max_tokens } } } })),
  ],
  ['replies of one token, promptfoo', provided([{ max_tokens: 150 }, { max_tokens: 1 }])],
  ['a threshold of 0, promptfoo', tested([1, 0], (threshold) => ({ threshold }))],
  [
    'a transform that adds the answer, promptfoo',
    tested([null, '"42"'], (transform) => ({ options: { transform } })),
  ],
]

/** Safe: what one log tells by its text another tells by its digest, and what neither tells is listed as not known. */
export const SAME_SETTINGS: Planted[] = [
  [
    'a chat template told by its text here and by its digest there, lm-eval',
    lmEval([{ chat_template: TEMPLATE }, { chat_template_sha: sha256(TEMPLATE) }], (said) => ({
      said: said as object,
    })),
  ],
  [
    'a chat template of which both logs tell nothing else, lm-eval',
    lmEval([true, true], (apply_chat_template) => ({ said: { config: { apply_chat_template } } })),
  ],
]
