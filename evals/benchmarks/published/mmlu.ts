/**
 * @file MMLU as lm-evaluation-harness asks it: a line that names the subject, five solved questions of its dev set in
 * file order, the question; the answer is the letter of largest log-probability among " A", " B", " C", " D".
 * Plain text, no chat template. Overall accuracy is the mean over questions.
 */
import { z } from 'zod'
import type { Sample } from '../../contract/rows.ts'
import type { Benchmark } from '../benchmark.ts'
import { EXAMPLE, FILE_STEM } from '../import/examples.ts'

const name = 'mmlu'
const LETTERS = ['A', 'B', 'C', 'D'] as const
const MMLU_SHOTS = 5

const common = { [EXAMPLE]: z.boolean().default(false), question: z.string() }
/** Its own files have no subject column: the file’s name says it, as in `anatomy_test.csv`. */
const CsvRow = z
  .object({
    ...common,
    [FILE_STEM]: z.string(),
    A: z.string(),
    B: z.string(),
    C: z.string(),
    D: z.string(),
    answer: z.enum(LETTERS),
  })
  .transform((row) => ({
    isExample: row[EXAMPLE],
    subject: row[FILE_STEM].replace(/_(test|val|dev)$/, ''),
    question: row.question,
    choices: LETTERS.map((letter) => row[letter]),
    correct: LETTERS.indexOf(row.answer),
  }))
const HubRow = z
  .object({
    ...common,
    subject: z.string().min(1),
    choices: z.array(z.string()).length(LETTERS.length),
    answer: z.int().min(0).max(3),
  })
  .transform((row) => ({
    isExample: row[EXAMPLE],
    subject: row.subject,
    question: row.question,
    choices: row.choices,
    correct: row.answer,
  }))
const Row = z.union([HubRow, CsvRow])
type Row = z.infer<typeof Row>

function block({ question, choices, correct }: Row, isSolved: boolean): string {
  const options = choices.map((choice, i) => `${LETTERS[i]}. ${choice}`)
  const answer = isSolved ? `Answer: ${LETTERS[correct]}` : 'Answer:'
  return [question.trim(), ...options, answer].join('\n')
}

function sampleOf(row: Row, place: number, examples: readonly Row[]): Sample {
  const { subject } = row
  const head = `The following are multiple choice questions (with answers) about ${subject.replaceAll('_', ' ')}.`
  const solved = examples.slice(0, MMLU_SHOTS).map((example) => block(example, true))
  return {
    id: `${subject}/${place}`,
    benchmark: name,
    category: subject,
    // Its own: prompts of a subject share solved examples, but no question.
    cluster: `${subject}/${place}`,
    messages: [{ role: 'user', content: [head, ...solved, block(row, false)].join('\n\n') }],
    expected: { kind: 'choice', options: [...LETTERS], correct: row.correct },
  }
}

export const mmlu: Benchmark<Row> = {
  name,
  title: 'MMLU, 5-shot',
  citation:
    'Hendrycks et al., “Measuring Massive Multitask Language Understanding” (2021), as asked by lm-evaluation-harness',
  role: 'capability',
  row: Row,
  parse(rows) {
    const examples = Map.groupBy(
      rows.filter(({ isExample }) => isExample),
      ({ subject }) => subject,
    )
    const places = new Map<string, number>()
    return rows.flatMap((row) => {
      if (row.isExample) return []
      const place = places.get(row.subject) ?? 0
      places.set(row.subject, place + 1)
      return [sampleOf(row, place, examples.get(row.subject) ?? [])]
    })
  },
  maxNewTokens: 1,
  judges: ['choice'],
  file: {
    family: name,
    columns: [
      ['question', 'subject', 'choices', 'answer'],
      ['question', 'A', 'B', 'C', 'D', 'answer'],
    ],
    examples: (path) => {
      const dev = path.replace(/(test|validation|val)(?=[^/\\]*$)/, 'dev')
      return dev === path ? [] : [dev, dev.replace(/([^/\\]+)$/, '../dev/$1')]
    },
  },
}
