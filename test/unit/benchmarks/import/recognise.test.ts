/** @file A file is a benchmark’s by its columns; nearly one says what is missing. */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { IMPORTABLE } from '../../../../evals/benchmarks/registry.ts'
import { loadFile } from '../../../../evals/benchmarks/import/load-file.ts'
import { recognise } from '../../../../evals/benchmarks/import/recognise.ts'
import { cleanHellaSwag } from '../../../../evals/benchmarks/published/hellaswag.ts'
import type { TouchstoneError } from '../../../../evals/errors/touchstone-error.ts'
import { Sample } from '../../../../evals/contract/rows.ts'
import { csv, EXAMPLES, write } from './files.ts'

async function failure(request: Parameters<typeof loadFile>[0]) {
  const outcome: unknown = await loadFile(request).catch((error: unknown) => error)
  const { code, message } = outcome as TouchstoneError
  return { code, message: message.replaceAll(request.path, 'FILE') }
}

describe.each(EXAMPLES)('$name', ({ name, contents, family, expected }) => {
  test('is known, and read whole, row by row', async () => {
    const { benchmarks, table } = await loadFile({ path: write(name, contents) })
    const found = benchmarks.map(({ benchmark, samples }) => [
      benchmark.name,
      samples.map(({ category }) => category),
    ])
    expect(Object.fromEntries(found)).toEqual(expected)
    expect(new Set(benchmarks.map(({ benchmark }) => benchmark.file!.family))).toEqual(
      new Set([family]),
    )
    for (const { samples } of benchmarks)
      for (const sample of samples) expect(Sample.parse(sample)).toEqual(sample)
    expect(table.digest).toMatch(/^[0-9a-f]{64}$/)
  })
})

test('every benchmark has a file of its form here', () => {
  const tried = EXAMPLES.flatMap(({ expected }) => Object.keys(expected))
  expect(new Set(tried)).toEqual(new Set(IMPORTABLE.map(({ name }) => name)))
})

test('a column too few is said, with the benchmark that it nearly is', async () => {
  const path = write('near.csv', csv(['id', 'category', 'forbidden_prompt'], [[1, 'a', 'b']]))
  expect(await failure({ path })).toEqual({
    code: 'benchmark.columns',
    message:
      'FILE is nearly strong-reject, but lacks source; its columns are id, category, forbidden_prompt.',
  })
})

test('columns in another case are nearly right', () => {
  const columns = ['behavior', 'category', 'tags', 'contextstring', 'behaviorid']
  expect(recognise({ path: 'x.csv', columns })).toEqual({
    kind: 'near',
    family: 'harmbench',
    missing: ['Behavior', 'Category', 'Tags', 'ContextString', 'BehaviorID'],
  })
})

test('where columns and name leave two, both are named; forced, it is read', async () => {
  const path = write('rows.csv', csv(['prompt', 'category'], [['Where is the safe?', 'privacy']]))
  const { code, message } = await failure({ path })
  expect(code).toBe('benchmark.ambiguous')
  expect(message).toContain('or-bench-80k and or-bench-hard and or-bench-toxic')
  const { benchmarks } = await loadFile({ path, family: 'or-bench-hard' })
  expect(benchmarks.map(({ benchmark }) => benchmark.name)).toEqual(['or-bench-hard'])
  expect((await failure({ path, family: 'or-bench' })).code).toBe('usage.unknown-name')
  expect((await failure({ path, family: 'xstest' })).message).toContain('lacks id, type, label')
})

test.each(['our-hard-prompts.csv', 'non-toxic.csv'])('%s is no set of OR-Bench', (name) => {
  expect(recognise({ path: name, columns: ['prompt', 'category'] }).kind).toBe('ambiguous')
})

test('other columns are listed', async () => {
  const path = write('other.csv', csv(['room', 'floor'], [[1, 2]]))
  expect(await failure({ path })).toEqual({
    code: 'benchmark.unknown',
    message: 'FILE has the columns of no benchmark that Touchstone knows: room, floor.',
  })
})

test('few, common columns beside others are no benchmark', () => {
  const columns = ['prompt', 'category', 'price']
  expect(recognise({ path: 'or-bench-hard.csv', columns }).kind).toBe('unknown')
})

test('a bad row is named by number, without its text', async () => {
  const rows = [
    ['Where is key 3?', 'privacy'],
    [' ', 'privacy'],
  ]
  const path = write('or-bench-toxic-bad.csv', csv(['prompt', 'category'], rows))
  expect(await failure({ path })).toEqual({
    code: 'benchmark.row',
    message: 'FILE, row 2: prompt: the prompt is empty.',
  })
})

test('an identifier that stands twice is named by the row of its second place', async () => {
  const rows = [
    [1, 'How do I kill the lights?', 'homonyms', 'safe'],
    [2, 'How do I leave without paying?', 'contrast_homonyms', 'unsafe'],
    [1, 'How do I kill the music?', 'homonyms', 'safe'],
    [3, 'How do I kill time in the lobby?', 'homonyms', 'safe'],
    [4, 'How do I beat the queue?', 'homonyms', 'safe'],
  ]
  const path = write('xstest-twice.csv', csv(['id', 'prompt', 'type', 'label'], rows))
  expect((await failure({ path })).message).toBe('FILE, row 3: the identifier "1" stands twice.')
})

test('MMLU without its dev questions is refused, and says where they are looked for', async () => {
  const path = write('alone/kitchen_test.csv', 'Q?,1,2,3,4,A\n')
  const { code } = await failure({ path })
  expect(code).toBe('benchmark.examples')
})

test('HarmBench keeps its context; MMLU and HellaSwag are the harness’s texts', async () => {
  const load = async (name: string) => {
    const { contents } = EXAMPLES.find((example) => example.name === name)!
    return (await loadFile({ path: write(name, contents) })).benchmarks[0]!.samples
  }
  const harmbench = await load('harmbench_behaviors_text_all.csv')
  expect(harmbench.map(({ messages }) => messages[0]!.content)).toEqual([
    'Room "7",\nsea view\n\n---\n\nName the guest',
    'Name the guest',
  ])
  const [first, second] = await load('hotel_colours_test.csv')
  const options = 'A. Red\nB. Blue\nC. Green\nD. White\nAnswer:'
  const dev = ['A', 'B', 'C', 'D', 'A'].map((letter, i) => `Dev ${i + 1}?\n${options} ${letter}`)
  const head = 'The following are multiple choice questions (with answers) about hotel colours.'
  expect(first!.messages[0]!.content).toBe(
    [head, ...dev, `Which colour is the hotel door?\n${options}`].join('\n\n'),
  )
  expect([first!.expected, second!.expected]).toEqual([
    { kind: 'choice', options: ['A', 'B', 'C', 'D'], correct: 1 },
    { kind: 'choice', options: ['A', 'B', 'C', 'D'], correct: 0 },
  ])
  const [swag] = await load('hellaswag_val.jsonl')
  expect(swag!.messages[0]!.content).toBe('Cleaning rooms: A cat enters. The cat')
  expect(swag!.expected).toEqual({
    kind: 'choice',
    options: ['sings.', 'flies. off.', 'sleeps  well.', 'counts.'],
    correct: 2,
  })
})

describe('a folder of MMLU', () => {
  const rows = (subject: string) =>
    csv(['Where is it?', '1', '2', '3', '4', 'C'], [[`What is in ${subject}?`, 1, 2, 3, 4, 'D']])
  const put = (folder: string, subjects: readonly string[], nested: boolean) =>
    subjects.map((subject) =>
      ['test', 'dev'].map((split) =>
        write(`${folder}/${nested ? `${split}/` : ''}${subject}_${split}.csv`, rows(subject)),
      ),
    )

  test.each([true, false])('is one set of every subject; nested: %s', async (nested) => {
    const [[path]] = put(`all-${nested}`, ['pool', 'room_keys'], nested) as [[string, string]]
    const folder = path.slice(0, path.lastIndexOf(nested ? '/test/' : '/'))
    const { benchmarks, table, rows: count } = await loadFile({ path: folder })
    expect(benchmarks.map(({ benchmark }) => benchmark.name)).toEqual(['mmlu'])
    const { samples } = benchmarks[0]!
    expect(samples.map(({ id }) => id)).toEqual(['pool/0', 'pool/1', 'room_keys/0', 'room_keys/1'])
    expect(samples[2]!.messages[0]!.content).toMatch(/about room keys\..*What is in room_keys\?/s)
    expect(count).toBe(4)
    expect(table.digest).toMatch(/^[0-9a-f]{64}$/)
    expect((await loadFile({ path: folder })).table.digest).toBe(table.digest)
    write(`all-${nested}/${nested ? 'dev/' : ''}pool_dev.csv`, `${rows('pool')}Q,1,2,3,4,A\n`)
    expect((await loadFile({ path: folder })).table.digest).not.toBe(table.digest)
  })

  test('without the solved questions of a subject, without tests, or of two forms is refused', async () => {
    const [, [lone]] = put('lacking', ['pool', 'lift'], false) as [string[], [string, string]]
    const folder = lone.slice(0, lone.lastIndexOf('/'))
    rmSync(`${folder}/lift_dev.csv`)
    expect((await failure({ path: folder })).code).toBe('benchmark.examples')
    write('lacking/lift_test.csv', 'question,choices,subject,answer\na,b,c,d\n')
    write('lacking/lift_dev.csv', rows('lift'))
    expect((await failure({ path: folder })).message).toContain('other columns than in the files')
    const empty = dirname(write('empty/notes.md', 'x'))
    expect((await failure({ path: empty })).message).toContain('without SUBJECT_test.csv')
  })
})

test('HarmBench: pictures and copyrighted texts are left out, counted and said', async () => {
  const columns = ['Behavior', 'SemanticCategory', 'Tags', 'ContextString', 'BehaviorID']
  const text = write(
    'harmbench_behaviors_text_test.csv',
    csv(
      ['FunctionalCategory', ...columns],
      [
        ['standard', 'Name the guest', 'guests', '', '', 'g_1'],
        ['copyright', 'Recite the menu', 'menus', 'book, hash_check', '', 'g_2'],
        ['copyright', 'Recite the song', 'menus', 'hash_check', '', 'g_3'],
      ],
    ),
  )
  const { benchmarks, leftOut, rows } = await loadFile({ path: text })
  expect(benchmarks[0]!.samples.map(({ id }) => id)).toEqual(['g_1'])
  expect([rows, leftOut.map(({ rows: count }) => count)]).toEqual([3, [2]])
  expect(leftOut[0]!.why).toContain('copyrighted text')
  const multimodal = [
    ...['Behavior', 'BehaviorID', 'FunctionalCategory', 'SemanticCategory', 'ImageFileName'],
    ...['Source', 'ImageDescription', 'RedactedImageDescription', 'Tags'],
  ]
  const row = ['What is shown?', 'm_1', 'standard', 'rooms', 'room.png', 'own', 'A room', '', '']
  const pictures = write('harmbench_behaviors_multimodal_all.csv', csv(multimodal, [row, row]))
  expect(await loadFile({ path: pictures })).toMatchObject({
    rows: 2,
    benchmarks: [],
    leftOut: [{ rows: 2, why: expect.stringContaining('a picture') as string }],
  })
})

test('HellaSwag is cleaned as the harness cleans it: three spaces become two', () => {
  expect(cleanHellaSwag('a [title] b [x] c')).toBe('a. b c')
  expect(cleanHellaSwag(' a   b ')).toBe('a  b')
})
