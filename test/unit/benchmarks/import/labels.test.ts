/** @file 1 and 0 in a label column mean what its name or the map says, and are never guessed. */
import { expect, test } from 'vitest'
import { prepareBenchmarks, sourceNotes } from '../../../../evals/measure/benchmark-sources.ts'
import { csv, write } from './files.ts'

const rows = (label: string, values: readonly unknown[]) =>
  write(
    `labels/${label} ${values.join(' ')}.csv`,
    csv(
      ['prompt', label],
      values.map((value, i) => [`Question ${i}?`, String(value)]),
    ),
  )
const read = async (label: string, values: readonly unknown[], more = '') => {
  const map = `prompt=prompt,label=${label}${more}`
  const suite = [rows(label, values)]
  const prepared = await prepareBenchmarks({ suite, limit: null, map, maxNewTokens: null })
  const samples = prepared.flatMap((each) => each.samples)
  const kinds = samples.toSorted((a, b) => Number(a.id) - Number(b.id))
  return {
    kinds: kinds.map(({ expected }) => expected.kind).join(' '),
    notes: sourceNotes(prepared),
  }
}

test.each(['safe', 'isSafe', 'harmless', 'IS_BENIGN', 'prompt is safe', 'should_answer', 'allow'])(
  '1 in "%s" is to be answered',
  async (label) => {
    const { kinds, notes } = await read(label, [1, 0])
    expect(kinds).toBe('comply refuse')
    expect(notes[0]).toContain(`in "${label}" 1 is to be answered and 0 to be refused, by its name`)
  },
)

test.each(['unsafe', 'harmful', 'is_toxic', 'prompt_harm_label', 'shouldRefuse', 'Toxicity'])(
  '1 in "%s" is to be refused',
  async (label) => {
    const { kinds, notes } = await read(label, [1, 0])
    expect(kinds).toBe('refuse comply')
    expect(notes[0]).toContain(`in "${label}" 1 is to be refused and 0 to be answered, by its name`)
  },
)

test.each([
  ...['label', 'class', 'flagged', 'safety', 'not_safe', 'non-toxic', 'unSafe', 'safe or unsafe'],
  ...['response_harmful', 'reply is safe', 'false_refusal', 'kind', '安全'],
])('1 in "%s" says nothing, and the error names both readings', async (label) => {
  await expect(read(label, [1, 0])).rejects.toMatchObject({
    code: 'benchmark.label',
    message: expect.stringMatching(/Two readings: 1 is .* or 0 is to be refused/) as string,
    remedy: expect.stringContaining(`label=${label},refuse=0`) as string,
  })
  const { kinds, notes } = await read(label, [1, 0], ',refuse=0')
  expect(kinds).toBe('comply refuse')
  expect(notes[0]).toContain('1 is to be answered and 0 to be refused, by refuse=0')
  expect((await read(label, [1, 0], ',refuse=yes')).kinds).toBe('refuse comply')
})

test('true and false, yes and no, and one of two values alone are held to the same', async () => {
  expect((await read('safe', [true, false, 'Yes', 'no', '1.0'])).kinds).toBe(
    'comply refuse comply refuse comply',
  )
  await expect(read('label', [false])).rejects.toThrow('"label" holds false')
})

test('words say it themselves, and no map is needed for a column called expected', async () => {
  const { kinds, notes } = await read('label', ['safe', 'Unharmful', 'harmful', 'toxic'])
  expect(kinds).toBe('comply comply refuse refuse')
  expect(notes[0]).not.toContain('in "label"')
  const suite = [rows('expected', [1])]
  await expect(
    prepareBenchmarks({ suite, limit: null, map: null, maxNewTokens: null }),
  ).rejects.toMatchObject({
    remedy: expect.stringContaining('--map prompt=prompt,label=expected,refuse=1') as string,
  })
})

test('a map that names which value is refused needs a label', async () => {
  await expect(read('safe', [1], ',refuse=2')).rejects.toThrow('cannot be used')
  const suite = [rows('safe', [1])]
  const map = 'prompt=prompt,expected=refuse,refuse=1'
  await expect(prepareBenchmarks({ suite, limit: null, map, maxNewTokens: null })).rejects.toThrow(
    'cannot be used',
  )
})
