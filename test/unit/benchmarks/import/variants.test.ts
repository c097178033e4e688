/**
 * @file Every importer on its file as strangers have it: in each format, with a mark, other line ends and quoted ones, cut anywhere, in
 * another encoding, with a column too few. A file is read whole or refused in words; nothing in between.
 */
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import { readTable } from '../../../../evals/tables/read-table.ts'
import { loadFile, type LoadedFile } from '../../../../evals/benchmarks/import/load-file.ts'
import { BY_CATEGORY, type Row } from '../../../../evals/tables/table.ts'
import { TouchstoneError } from '../../../../evals/errors/touchstone-error.ts'
import { csv, EXAMPLES, jsonLines, MMLU_DEV, write, type Example } from './files.ts'
import { counted } from '../../../doubles/tier.ts'

const isNested = (rows: readonly Row[]) =>
  rows.some((row) => Object.values(row).some((value) => typeof value === 'object'))
const textOf = (value: unknown) => (typeof value === 'number' ? value : String(value))

/** What every format says of the rows of a table; undefined where it cannot hold them. */
const FORMATS: Readonly<
  Record<
    string,
    (columns: readonly string[], rows: readonly Row[]) => string | Uint8Array | undefined
  >
> = {
  csv: (columns, rows) =>
    isNested(rows)
      ? undefined
      : csv(
          columns,
          rows.map((row) => columns.map((name) => textOf(row[name]))),
        ),
  json: (_, rows) => JSON.stringify(rows),
  jsonl: (_, rows) => jsonLines(rows),
  parquet: (columns, rows) =>
    isNested(rows)
      ? undefined
      : new Uint8Array(
          parquetWriteBuffer({
            columnData: columns.map((name) => ({
              name,
              data: rows.map((row) => String(row[name])),
              type: 'STRING' as const,
            })),
          }),
        ),
}

const seen = ({ benchmarks }: LoadedFile) =>
  benchmarks.map(({ benchmark, samples }) => [
    benchmark.name,
    samples.map(({ id, category, messages }) => [id, category, messages]),
  ])

/** Each under a folder of its own, so that MMLU's dev file is found beside it. */
function put(folder: string, name: string, contents: string | Uint8Array): string {
  if (name.includes('hotel_colours')) write(`${folder}/hotel_colours_dev.csv`, MMLU_DEV)
  return write(`${folder}/${name}`, contents)
}

async function outcome(path: string): Promise<LoadedFile | string> {
  try {
    return await loadFile({ path })
  } catch (error) {
    expect(error, path).toBeInstanceOf(TouchstoneError)
    expect((error as TouchstoneError).code).toMatch(/^benchmark\./)
    return (error as TouchstoneError).code
  }
}

const bytesOf = ({ contents }: Example) => Buffer.from(contents)
const ofFormat = (...endings: string[]) =>
  EXAMPLES.filter(({ name }) => endings.some((ending) => name.endsWith(ending)))
/** MMLU's own files have no first line of names; HellaSwag's endings are lists. */
const named = EXAMPLES.filter(({ family }) => family !== 'mmlu')

describe.each(named)('$name', (example) => {
  test('is the same benchmark in every format that can hold its rows', async () => {
    const { columns, rows } = await readTable(put('forms', example.name, example.contents))
    if (columns[0] === BY_CATEGORY[0]) return
    const wanted = seen(await loadFile({ path: put('forms', example.name, example.contents) }))
    let forms = 0
    for (const [ending, encode] of Object.entries(FORMATS)) {
      const contents = encode(columns, rows)
      if (contents === undefined) continue
      const path = put('forms', example.name.replace(/\w+$/, ending), contents)
      expect(seen(await loadFile({ path })), ending).toEqual(wanted)
      forms++
    }
    expect(forms).toBeGreaterThan(1)
  })

  test('with any column missing is refused, or is another benchmark’s whole file', async () => {
    const { columns, rows } = await readTable(put('columns', example.name, example.contents))
    if (columns[0] === BY_CATEGORY[0]) return
    const without = async (gone: string) => {
      const left = columns.filter((name) => name !== gone)
      const kept = rows.map((row) => Object.fromEntries(left.map((name) => [name, row[name]])))
      const path = put('columns', example.name.replace(/\w+$/, 'json'), JSON.stringify(kept))
      return outcome(path)
    }
    let refused = 0
    for (const gone of columns) if (typeof (await without(gone)) === 'string') refused++
    expect(refused).toBeGreaterThan(0)
  })
})

describe.each(EXAMPLES)('$name', (example) => {
  const whole = () => loadFile({ path: put('whole', example.name, example.contents) })

  test('with a byte order mark is the same', async () => {
    const path = put('marked', example.name, `\uFEFF${bytesOf(example).toString()}`)
    expect(seen(await loadFile({ path }))).toEqual(seen(await whole()))
  })

  test.each(['utf16le', 'latin1'] as const)(
    'in %s is refused or its scars are counted',
    async (as) => {
      const text = `\uFEFF${bytesOf(example).toString()}`
      const scarred = as === 'utf16le' ? text : text.slice(1).replace(/[a-z]{4}/, 'Café')
      const found = await outcome(put(as, example.name, Buffer.from(scarred, as)))
      if (as === 'utf16le') expect(found).toBe('benchmark.unreadable')
      else if (typeof found !== 'string') expect(found.table.replaced).toBe(1)
    },
  )

  test('cut at any byte is refused, or holds no more than before', async () => {
    const bytes = bytesOf(example)
    const samples = (loaded: LoadedFile) =>
      loaded.benchmarks.reduce((sum, each) => sum + each.samples.length, 0)
    const all = samples(await whole())
    let refused = 0
    for (let at = 0; at < bytes.length; at += 1 + Math.floor(bytes.length / 60)) {
      const found = await outcome(put('cut', example.name, bytes.subarray(0, at)))
      if (typeof found === 'string') refused++
      else expect(samples(found), `cut at ${at}`).toBeLessThanOrEqual(all)
    }
    expect(refused).toBeGreaterThan(0)
  })
})

test.each(ofFormat('.csv').filter(({ family }) => family !== 'mmlu'))(
  '$name keeps quoted line ends and quotes, with Windows line ends too',
  async (example) => {
    const { columns, rows } = await readTable(put('quoted', example.name, example.contents))
    const prompts = [
      ...['goal', 'Behavior', 'forbidden_prompt', 'prompt', 'Goal', 'question', 'sentence'],
    ]
    const column = columns.find((name) => prompts.includes(name))!
    const nasty = 'Where is "room 7",\nby day;\r\nand by night?'
    const changed = rows.map((row) =>
      columns.map((name) => (name === column ? nasty : textOf(row[name]))),
    )
    for (const ending of ['\n', '\r\n']) {
      const [head, ...body] = [columns, ...changed].map((row) => csv(row.map(String), []).trimEnd())
      const path = put('quoted', example.name, [head, ...body, ''].join(ending))
      for (const { samples } of (await loadFile({ path })).benchmarks)
        for (const { messages } of samples) expect(messages[0]!.content).toContain(nasty)
    }
  },
)

const MB = counted(10, 50)

describe(`${MB} MB`, () => {
  const prompt = 'Where may a guest of the hotel leave wet towels, "by day", and why? '.repeat(14)
  const count = 1080 * MB
  const rows = Array.from({ length: count }, (_, i) => ({
    prompt: `${i} ${prompt}`,
    category: 'towels',
  }))

  test.each([
    ['json', () => JSON.stringify(rows)],
    ['jsonl', () => jsonLines(rows)],
  ])('of %s are read whole', async (ending, contents) => {
    const path = write(`or-bench-80k-large.${ending}`, contents())
    const { table, benchmarks } = await loadFile({ path })
    expect(table.bytes).toBeGreaterThan(MB * 1e6)
    expect(benchmarks[0]!.samples).toHaveLength(count)
  })

  test('of Parquet are read whole', async () => {
    const columns = ['prompt', 'category'] as const
    const columnData = columns.map((name) => ({
      name,
      type: 'STRING' as const,
      data: rows.map((row) => row[name]),
    }))
    const bytes = parquetWriteBuffer({ columnData, codec: 'UNCOMPRESSED' })
    const path = write('or-bench-80k-large.parquet', new Uint8Array(bytes))
    const { table, benchmarks } = await loadFile({ path })
    expect(table.bytes).toBeGreaterThan(MB * 1e6)
    expect(benchmarks[0]!.samples).toHaveLength(count)
  })
})
