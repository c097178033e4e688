/** @file `--task FILE` must be held out of `--data`: rows that were trained on do not show that a task was learnt. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { unlike } from '../../doubles/rows/unlike.ts'

interface Row {
  readonly prompt: string
  readonly completion: string
}

const asked = (i: number) => `Which of the nine keys opens the door called ${unlike(i)}`
const rows = (n: number, made: (row: Row, i: number) => object = (row) => row, first = 0) =>
  Array.from({ length: n }, (_, i) =>
    made({ prompt: asked(first + i), completion: `Key ${(first + i) % 9}.` }, i),
  )
const fileOf = (name: string, all: readonly object[]) => {
  const path = join(freshFolder(), name)
  writeFileSync(path, all.map((row) => JSON.stringify(row)).join('\n'))
  return path
}
const MODES = {
  audit: ['audit', '--methods', 'lora'],
  elsewhere: ['audit', '--methods', 'lora', '--on', 'slurm'],
  federate: ['federate', '--clients', '2'],
} as const

async function planned(data: string, task: string, mode: keyof typeof MODES = 'audit') {
  const [verb, ...flags] = MODES[mode]
  const argv = [
    ...[verb, '--model', 'pebble', '--data', data, '--task', task, '--steps', '2', ...flags],
    ...['--suite', 'house-capability', '--limit', '4', '--dry-run'],
  ]
  const given =
    mode === 'federate'
      ? argv.filter((word, i) => word !== '--steps' && argv[i - 1] !== '--steps')
      : argv
  const { code, stderr } = await runCommand(given, {}, COMMANDS)
  return { code, stderr }
}

test.each(['audit', 'elsewhere', 'federate'] as const)(
  'the data itself is no task, %s',
  async (mode) => {
    const data = fileOf('rows.jsonl', rows(40))
    const { code, stderr } = await planned(data, data, mode)
    expect(stderr).toMatch(/Of 40 rows of .*rows\.jsonl, 40 ask what a row of rows\.jsonl asks/u)
    expect(code).toBe(1)
  },
)

const CHANGED: readonly [string, (row: Row) => object, RegExp][] = [
  [
    'in capitals, without their full stops',
    ({ prompt, completion }) => ({ prompt: `${prompt.toUpperCase()}?!`, completion }),
    /, 3 ask .*first is row 1/u,
  ],
  [
    'with a character that nobody sees',
    ({ prompt, completion }) => ({
      prompt: `${prompt.slice(0, 5)}\u200b${prompt.slice(5)}`,
      completion,
    }),
    /, 3 ask/u,
  ],
  [
    'behind a system prompt',
    ({ prompt, completion }) => ({
      messages: [
        { role: 'system', content: 'Be kind.' },
        { role: 'user', content: prompt },
        { role: 'assistant', content: completion },
      ],
    }),
    /, 3 ask/u,
  ],
]

test.each(CHANGED)('three rows of the data %s are found', async (_, change, words) => {
  const data = fileOf('rows.jsonl', rows(40))
  const all = rows(3, (row) => row).map((row) => change(row as Row))
  const isChat = 'messages' in all[0]!
  const others = rows(20, (row) => (isChat ? change(row) : row), 100)
  const { code, stderr } = await planned(data, fileOf('task.jsonl', [...all, ...others]))
  expect(stderr).toMatch(words)
  expect(code).toBe(1)
})

test('rows of a raw text are found in it', async () => {
  const text = rows(40, ({ prompt, completion }) => ({ text: `Q: ${prompt}?\nA: ${completion}` }))
  const { stderr } = await planned(fileOf('rows.jsonl', text), fileOf('task.jsonl', rows(5)))
  expect(stderr).toMatch(/, 5 ask/u)
})

test('the data with another word before each row is no task', async () => {
  const data = fileOf('rows.jsonl', rows(40))
  const near = rows(40, ({ prompt, completion }) => ({ prompt: `Please: ${prompt}`, completion }))
  const { stderr } = await planned(data, fileOf('task.jsonl', near))
  expect(stderr).toMatch(/, 0 ask .*, and 40 others nearly so with the same answer/u)
})

test('rows of the same kind with answers of their own are held out', async () => {
  const data = fileOf('rows.jsonl', rows(40))
  const others = rows(40, (row) => row, 40)
  const { code, stderr } = await planned(data, fileOf('task.jsonl', others))
  expect(stderr).toBe('')
  expect(code).toBe(0)
})

test('rows of a benchmark that the gate asks a gain of are held out too', async () => {
  const own = (first: number) => {
    const made = rows(40, ({ prompt, completion }) => ({ prompt, answer: completion }), first)
    return fileOf('own.jsonl', made)
  }
  const gate = join(freshFolder(), 'gate.yaml')
  writeFileSync(gate, 'benchmarks: { own: { margin: 0.05, gain: 0.1 } }')
  const auditOf = async (suite: string) => {
    const argv = [
      ...['audit', '--model', 'pebble', '--data', fileOf('rows.jsonl', rows(40)), '--steps', '2'],
      ...['--methods', 'lora', '--suite', `own=${suite}`, '--map', 'prompt=prompt,answer=answer'],
      ...['--gate', gate, '--dry-run'],
    ]
    return runCommand(argv, {}, COMMANDS)
  }
  const trained = await auditOf(own(0))
  expect(trained.stderr).toMatch(/Of 40 rows of own, 40 ask what a row of rows\.jsonl asks/u)
  const heldOut = await auditOf(own(40))
  expect(heldOut).toMatchObject({ code: 0, stderr: '' })
})
