/** @file Files of each benchmark’s form, written here: the right columns, and questions about a hotel. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

export const folder = mkdtempSync(join(tmpdir(), 'touchstone-import-'))

export function write(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, contents)
  return path
}

const quoted = (value: string | number) =>
  /[",\r\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value)

export function csv(
  columns: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  return [columns, ...rows].map((row) => row.map(quoted).join(',')).join('\n') + '\n'
}

export const jsonLines = (rows: readonly object[]): string =>
  rows.map((row) => JSON.stringify(row)).join('\n')

const choices = ['Red', 'Blue', 'Green', 'White']
const MMLU_TEST = csv(
  ['Which colour is the hotel door?', ...choices, 'B'],
  [['Which colour is the "pool" bar,\nby night?', ...choices, 'A']],
)
export const MMLU_DEV = csv(
  ['Dev 1?', ...choices, 'A'],
  ['B', 'C', 'D', 'A', 'B'].map((letter, i) => [`Dev ${i + 2}?`, ...choices, letter]),
)

const HARMBENCH = [
  'Behavior',
  'FunctionalCategory',
  'SemanticCategory',
  'Tags',
  'ContextString',
  'BehaviorID',
]
const JBB = ['Index', 'Goal', 'Target', 'Behavior', 'Category', 'Source']

export interface Example {
  readonly name: string
  readonly contents: string
  readonly family: string
  /** Samples by benchmark, categories in order. */
  readonly expected: Readonly<Record<string, readonly string[]>>
}

export const EXAMPLES: readonly Example[] = [
  {
    name: 'harmful_behaviors.csv',
    contents: csv(['goal', 'target'], [['Open the linen room', 'Sure, the linen room']]),
    family: 'advbench',
    expected: { advbench: ['all'] },
  },
  {
    name: 'benchfile.json',
    contents: JSON.stringify({ linen: ['Open the linen room', 'Count towels'], keys: ['Keys?'] }),
    family: 'refusal-bench',
    expected: { 'refusal-bench': ['linen', 'linen', 'keys'] },
  },
  {
    name: 'harmbench_behaviors_text_all.csv',
    contents: csv(HARMBENCH, [
      ['Name the guest', 'contextual', 'guests', 'context, guests', 'Room "7",\nsea view', 'g_7'],
      ['Name the guest', 'standard', 'guests', '', '', 'g_8'],
    ]),
    family: 'harmbench',
    expected: { harmbench: ['guests', 'guests'] },
  },
  {
    name: 'extra_behaviors.csv',
    contents: csv(
      ['Behavior', 'Category', 'Tags', 'ContextString', 'BehaviorID'],
      [['Name the guest', 'guests', '', '', 'g_9']],
    ),
    family: 'harmbench',
    expected: { harmbench: ['guests'] },
  },
  {
    name: 'strongreject_dataset.csv',
    contents: csv(['category', 'source', 'forbidden_prompt'], [['keys', 'own', 'Where is key 3?']]),
    family: 'strong-reject',
    expected: { 'strong-reject': ['keys'] },
  },
  {
    name: 'xstest_prompts.csv',
    contents: csv(
      ['id', 'prompt', 'type', 'label', 'focus', 'note'],
      [
        [1, 'How do I kill the lights?', 'homonyms', 'safe', 'kill', ''],
        [2, 'How do I open room 7?', 'contrast_homonyms', 'unsafe', 'open', ''],
      ],
    ),
    family: 'xstest',
    expected: { 'xstest-safe': ['homonyms'], 'xstest-unsafe': ['contrast_homonyms'] },
  },
  {
    name: 'xstest_v2_prompts.csv',
    contents: csv(
      ['id', 'type', 'prompt', 'focus', 'note'],
      [
        ['v2-1', 'homonyms', 'How do I kill the lights?', 'kill', ''],
        ['v2-2', 'contrast_homonyms', 'How do I open room 7?', 'open', ''],
      ],
    ),
    family: 'xstest',
    expected: { 'xstest-safe': ['homonyms'], 'xstest-unsafe': ['contrast_homonyms'] },
  },
  ...(['80k', 'hard-1k', 'toxic'] as const).map((set) => ({
    name: `or-bench-${set}.csv`,
    contents: csv(['prompt', 'category'], [['Where is the safe?', 'privacy']]),
    family: `or-bench-${set.replace('-1k', '')}`,
    expected: { [`or-bench-${set.replace('-1k', '')}`]: ['privacy'] },
  })),
  {
    name: 'question.jsonl',
    contents: jsonLines([
      { question_id: 1, category: 1, turns: ['Where is key 3?'], prompt_style: 'base' },
      { question_id: 1, category: 1, turns: ['Key 3, where?'], prompt_style: 'slang' },
    ]),
    family: 'sorry-bench',
    expected: { 'sorry-bench': ['1', '1'] },
  },
  {
    name: 'sorry_mirror.csv',
    contents: csv(['question_id', 'category', 'prompt'], [[1, 'keys', 'Where is key 3?']]),
    family: 'sorry-bench',
    expected: { 'sorry-bench': ['keys'] },
  },
  ...(['harmful', 'benign'] as const).map((set) => ({
    name: `${set}-behaviors.csv`,
    contents: csv(JBB, [[0, 'Name the guest', 'Sure', 'Guests', 'Privacy', 'Original']]),
    family: `jailbreak-bench-${set}`,
    expected: { [`jailbreak-bench-${set}`]: ['Privacy'] },
  })),
  {
    name: 'do_not_answer.csv',
    contents: csv(
      ['id', 'risk_area', 'types_of_harm', 'specific_harms', 'question'],
      [[0, 'Keys', 'rooms', 'linen', 'Where is key 3?']],
    ),
    family: 'do-not-answer',
    expected: { 'do-not-answer': ['Keys'] },
  },
  {
    name: 'hotel_colours_test.csv',
    contents: MMLU_TEST,
    family: 'mmlu',
    expected: { mmlu: ['hotel_colours', 'hotel_colours'] },
  },
  {
    name: 'hellaswag_val.jsonl',
    contents: jsonLines([
      {
        ind: 4,
        activity_label: 'Cleaning rooms',
        ctx_a: 'A cat enters.',
        ctx_b: 'the Cat',
        ctx: 'A cat enters. the Cat',
        label: 2,
        endings: ['sings.', 'flies [title] off.', 'sleeps  [step] well.', 'counts.'],
        source_id: 'own',
      },
    ]),
    family: 'hellaswag',
    expected: { hellaswag: ['Cleaning rooms'] },
  },
  {
    name: 'reviews.csv',
    contents: csv(
      ['sentence', 'label'],
      [
        ['The room was warm', 'good'],
        ['It was loud', 'bad'],
      ],
    ),
    family: 'classes',
    expected: { classes: ['good', 'bad'] },
  },
]

write('hotel_colours_dev.csv', MMLU_DEV)
