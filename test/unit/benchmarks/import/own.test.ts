/** @file Rows as people have them are understood without a map, under a name of theirs, or the error names the flag. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { loadFile } from '../../../../evals/benchmarks/import/load-file.ts'
import { mappingFor, parseMapping } from '../../../../evals/benchmarks/import/mapping.ts'
import { prepareBenchmarks } from '../../../../evals/measure/benchmark-sources.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

const folder = freshFolder()
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const jsonl = (rows: readonly object[]) => rows.map((row) => JSON.stringify(row)).join('\n')
const load = async (path: string, family?: string, map?: string) => {
  const mapping = map === undefined ? {} : { mapping: parseMapping(map) }
  const { benchmarks } = await loadFile({ path, ...(family && { family }), ...mapping })
  return benchmarks.map(({ benchmark: { name, title, role, judges }, samples }) => ({
    ...{ name, title, role, judges, samples },
  }))
}

test('prompt and expected: refuse, answer, comply and allow', async () => {
  const path = file('Rules.csv', 'prompt,expected\na,refuse\nb,answer\nc,comply\nd,Allow\n')
  const found = await load(path)
  expect(found.map(({ name, role, samples }) => [name, role, samples.length])).toEqual([
    ['rules-refuse', 'refusal', 1],
    ['rules-comply', 'over-refusal', 3],
  ])
  const named = await load(path, 'house-rules')
  expect(named.map(({ name, title }) => [name, title])).toEqual([
    ['house-rules-refuse', 'house-rules, prompts to refuse'],
    ['house-rules-comply', 'house-rules, prompts to answer'],
  ])
  const long = file('long.jsonl', jsonl([{ prompt: 'a'.repeat(100_001), expected: 'answer' }]))
  await expect(load(long)).rejects.toThrow('it is longer than 100000 characters')
  await expect(load(file('odd.csv', 'prompt,expected\na,perhaps\n'))).rejects.toThrow(
    'row 1: the label in "expected" is none of ',
  )
})

test('conversations with a system prompt and several turns', async () => {
  const messages = [
    { role: 'system', content: 'You are the porter.' },
    { role: 'user', content: 'Hello' },
    { role: 'assistant', content: 'Good day.' },
    { role: 'user', content: 'When is breakfast?' },
  ]
  const [only] = await load(file('talk.jsonl', jsonl([{ messages, expected: 'answer' }])))
  expect(only!.samples[0]).toMatchObject({ messages, expected: { kind: 'comply' } })
  const wrong = file('wrong.jsonl', jsonl([{ messages: messages.slice(0, 3), expected: 'answer' }]))
  await expect(load(wrong)).rejects.toThrow('no conversation that ends with a user’s turn')
})

describe('questions', () => {
  test('and accepted answers are free text', async () => {
    const path = file('facts.csv', 'question,answer\nWhen?,7:00 | seven\nHow many?,14\n')
    const [only] = await load(path, 'facts')
    expect(only).toMatchObject({ name: 'facts', role: 'capability', judges: ['answer-match'] })
    expect(only!.samples.map(({ expected }) => expected)).toEqual([
      { kind: 'answer', accept: ['7:00', 'seven'] },
      { kind: 'answer', accept: ['14'] },
    ])
    const listed = file('list.jsonl', jsonl([{ question: 'Who?', answer: ['x', 'y'] }]))
    expect((await load(listed))[0]!.samples[0]!.expected).toEqual({
      kind: 'answer',
      accept: ['x', 'y'],
    })
  })

  test('with options are multiple choice, without and with solved examples', async () => {
    const rows = [
      { question: 'Open?', choices: ['seven', 'eight'], answer: 0, example: true },
      { question: 'Shut?', choices: ['nine', 'ten', 'noon'], answer: 'C' },
      { question: 'Where?', choices: ['roof', 'cellar'], answer: 'Cellar' },
    ]
    const path = file('quiz.jsonl', jsonl(rows))
    const [only] = await load(path, 'our-quiz')
    expect(only).toMatchObject({ name: 'our-quiz', title: 'our-quiz', judges: ['choice'] })
    expect(only!.samples.map(({ expected }) => expected)).toEqual([
      { kind: 'choice', options: ['A', 'B', 'C'], correct: 2 },
      { kind: 'choice', options: ['A', 'B'], correct: 1 },
    ])
    expect(only!.samples[0]!.messages).toEqual([
      {
        role: 'user',
        content: 'Open?\nA. seven\nB. eight\nAnswer: A\n\nShut?\nA. nine\nB. ten\nC. noon\nAnswer:',
      },
    ])
    const plain = file('letters.csv', 'question,A,B,C,D,answer\nWhich?,one,two,three,four,B\n')
    const [own] = await load(plain, 'letters')
    expect(own!.samples[0]!.expected).toEqual({
      kind: 'choice',
      options: ['A', 'B', 'C', 'D'],
      correct: 1,
    })
    const titled = await load(
      path,
      undefined,
      'question=question,choices=choices,answer=answer,title=Quiz',
    )
    expect(titled[0]!.title).toBe('Quiz')
  })
})

test('a map a file, and hints that name the flag', async () => {
  const text = 'a.csv:prompt=p,expected=refuse; prompt=q,expected=answer'
  expect(mappingFor(text, '/x/a.csv')).toEqual({ prompt: 'p', expected: 'refuse' })
  expect(mappingFor(text, '/x/b.csv')).toEqual({ prompt: 'q', expected: 'answer' })
  expect(mappingFor('a.csv:prompt=p,expected=refuse', '/x/b.csv')).toBeUndefined()
  const unknown = file('unknown.csv', 'Request,kind_label\nx,y\n')
  await expect(load(unknown)).rejects.toMatchObject({
    remedy: expect.stringContaining('--map prompt=Request,label=kind_label') as string,
  })
})

test('--max-new-tokens holds for bundled suites too', async () => {
  const prepared = await prepareBenchmarks({
    suite: ['general'],
    limit: 1,
    map: null,
    maxNewTokens: 7,
  })
  expect(prepared.map(({ benchmark }) => benchmark.maxNewTokens)).toEqual([7, 7, 7])
})
