/** @file Logs from strangers: bombs, names that leave the folder, cut and changed bytes, wrong encodings, wrong columns, size. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync, zstdCompressSync, crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { TouchstoneError } from '../../../evals/errors/touchstone-error.ts'
import { csvLine, csvRecords, unguarded } from '../../../evals/tables/csv.ts'
import { importRuns } from '../../../evals/interchange/import.ts'
import { linesOf } from '../../../evals/interchange/log-file.ts'
import { PAIRED_COLUMNS } from '../../../evals/interchange/paired-rows.ts'
import { zipOf } from '../../../evals/interchange/zip-write.ts'
import { ROOT } from '../../doubles/imports.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { counted, IS_LONG } from '../../doubles/tier.ts'
import { fc } from '../../doubles/properties.ts'

interface Planned {
  readonly name: string
  readonly data: string | Buffer
  readonly method?: 0 | 8 | 93 | 12
  /** What the headers say, where they lie. */
  readonly size?: number
  readonly crc?: number
}

const PACK = {
  0: (bytes: Buffer) => bytes,
  8: deflateRawSync,
  93: zstdCompressSync,
  12: (bytes: Buffer) => bytes,
}

/** A ZIP archive by hand, so that its headers can lie. */
function zipBytes(entries: readonly Planned[]): Buffer {
  const [locals, centrals] = [[] as Buffer[], [] as Buffer[]]
  let offset = 0
  for (const { name, data, method = 8, size, crc } of entries) {
    const bytes = Buffer.from(data)
    const packed = Buffer.from(PACK[method](bytes))
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(0x800, 2)
    common.writeUInt16LE(method, 4)
    common.writeUInt32LE(crc ?? crc32(bytes), 10)
    common.writeUInt32LE(packed.length, 14)
    common.writeUInt32LE(size ?? bytes.length, 18)
    common.writeUInt16LE(Buffer.byteLength(name), 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, Buffer.from(name), packed])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    const made = Buffer.from([20, 0])
    centrals.push(Buffer.concat([Buffer.from('PK\x01\x02'), made, common, tail, Buffer.from(name)]))
    locals.push(local)
    offset += local.length
  }
  const directory = Buffer.concat(centrals)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(entries.length, 8)
  end.writeUInt16LE(entries.length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, directory, end])
}

function file(name: string, content: string | Buffer): string {
  const path = join(freshFolder(), name)
  writeFileSync(path, content)
  return path
}

const archive = (entries: readonly Planned[]) => file('log.eval', zipBytes(entries))

const header = (extra: object = {}) =>
  JSON.stringify({ version: 2, status: 'success', eval: { task: 'hotel', model: 'm', ...extra } })
const sample = (id: string, extra: object = {}) =>
  JSON.stringify({
    id,
    epoch: 1,
    input: 'When is breakfast?',
    scores: { match: { value: 'C' } },
    ...extra,
  })
const LOG: readonly Planned[] = [
  { name: 'header.json', data: header() },
  { name: 'samples/a_epoch_1.json', data: sample('a') },
]

async function refusal(path: string): Promise<string> {
  const error: unknown = await importRuns(path).then(
    () => new Error('it was read'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(TouchstoneError)
  expect((error as TouchstoneError).code).toBe('interchange.malformed')
  return (error as TouchstoneError).message
}

describe('an archive', () => {
  test.each([0, 8, 93] as const)('is read whichever way it was packed (%i)', async (method) => {
    const [run] = await importRuns(archive(LOG.map((each) => ({ ...each, method }))))
    expect(run!.judged).toMatchObject([{ judge: 'match', sampleId: 'a', outcome: 'correct' }])
  })

  test('that declares more than may be unpacked is refused before anything is', async () => {
    const bomb = { name: 'samples/b_epoch_1.json', data: 'x', size: 2 ** 31 }
    expect(await refusal(archive([...LOG, bomb]))).toMatch(/2147483648 bytes.*at most/)
    const many = Array.from({ length: 80 }, (_, i) => ({
      name: `samples/${i}.json`,
      data: 'x',
      size: 255 * 2 ** 20,
    }))
    expect(await refusal(archive([...LOG, ...many]))).toMatch(/at most 17179869184 bytes/)
  })

  test.each([8, 93] as const)(
    'that unpacks to more than it declares is stopped (%i)',
    async (method) => {
      const zeros = Buffer.alloc(32 * 2 ** 20)
      const bomb = { name: 'samples/b_epoch_1.json', data: zeros, size: 100, method }
      const before = process.memoryUsage().rss
      expect(await refusal(archive([...LOG, bomb]))).toMatch(/100 bytes that unpack/)
      expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20)
    },
  )

  test('that unpacks to less, or to other bytes, is refused', async () => {
    const [head, one] = LOG
    expect(await refusal(archive([head!, { ...one!, size: 5000 }]))).toMatch(/size or check sum/)
    expect(await refusal(archive([head!, { ...one!, crc: 7 }]))).toMatch(/size or check sum/)
  })

  test.each(['../up.json', '/root.json', 'samples/../../up.json', 'C:/x.json', 'samples\\x.json'])(
    'with the name %s is refused',
    async (name) => {
      await refusal(archive([...LOG, { name, data: '{}' }]))
    },
  )

  test('that is encrypted or packed by a method nobody asked for is refused', async () => {
    expect(await refusal(archive([{ ...LOG[0]!, method: 12 }]))).toMatch(/method 12/)
    const bytes = zipBytes(LOG)
    // The flag of the first entry in the central directory.
    bytes[bytes.indexOf(Buffer.from('PK\x01\x02')) + 8]! |= 1
    expect(await refusal(file('log.eval', bytes))).toMatch(/encrypted/)
  })

  test('in which a name stands twice is read as Inspect reads it: the last stands', async () => {
    const later = { ...LOG[1]!, data: sample('a', { scores: { match: { value: 'I' } } }) }
    const [run] = await importRuns(archive([...LOG, later]))
    expect(run!.judged.map(({ outcome }) => outcome)).toEqual(['incorrect'])
  })

  test('in which one sample stands under two names is refused', async () => {
    const twin = { name: 'samples/b_epoch_1.json', data: sample('a') }
    expect(await refusal(archive([...LOG, twin]))).toMatch(/sample "a" twice/)
  })

  test('cut off anywhere, or with a byte changed, is refused or still says the same', async () => {
    const bytes = zipBytes(LOG)
    for (let end = 0; end < bytes.length; end += 7)
      await refusal(file('log.eval', bytes.subarray(0, end)))
    const [truth] = await importRuns(file('log.eval', bytes))
    await fc.assert(
      fc.asyncProperty(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (at, flip) => {
          const changed = Buffer.from(bytes)
          changed[at]! ^= flip
          const path = file('log.eval', changed)
          const found = await importRuns(path).catch((error: unknown) => error)
          if (found instanceof Error) expect(found).toBeInstanceOf(TouchstoneError)
          else expect((found as [typeof truth])[0]!.judged).toEqual(truth!.judged)
        },
      ),
      { numRuns: 150 },
    )
  })
})

describe('an Inspect log', () => {
  test.each([
    ['no header', [LOG[1]!]],
    ['a header that is no JSON', [{ name: 'header.json', data: '{' }, LOG[1]!]],
    ['another version', [{ name: 'header.json', data: header().replace('2', '9') }, LOG[1]!]],
    ['no samples', [LOG[0]!]],
    ['a sample that is a list', [LOG[0]!, { name: 'samples/a.json', data: '[]' }]],
    ['a sample without an epoch', [LOG[0]!, { name: 'samples/a.json', data: '{"id":"a"}' }]],
    [
      'bytes that are not UTF-8',
      [LOG[0]!, { name: 'samples/a.json', data: Buffer.from([0x22, 0xff]) }],
    ],
    [
      'scores that are neither right nor wrong',
      [LOG[0]!, { name: 'samples/a.json', data: sample('a', { scores: { f1: { value: 0.4 } } }) }],
    ],
  ])('with %s is refused', async (_, entries) => {
    await refusal(archive(entries))
  })

  test('may hold Python’s NaN, inputs as messages, and texts moved to attachments', async () => {
    const messages = [
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: [{ type: 'text', text: 'attachment://abc' }, { type: 'image' }] },
    ]
    const condensed = sample('a', { input: messages, attachments: { abc: 'Is "NaN" a number?' } })
    const data = condensed.replace('"value":"C"', '"value":NaN')
    const right = { name: 'samples/b_epoch_1.json', data: sample('b') }
    const [run] = await importRuns(archive([LOG[0]!, { name: 'samples/a.json', data }, right]))
    expect(run!.judged.map(({ outcome, prompt }) => [outcome, prompt])).toEqual([
      ['undecided', 'Be kind.\nIs "NaN" a number?'],
      ['correct', 'When is breakfast?'],
    ])
  })

  test('that was cut off before its header is read from its journal', async () => {
    const [run] = await importRuns(archive([{ ...LOG[0]!, name: '_journal/start.json' }, LOG[1]!]))
    expect(run!.judged).toHaveLength(1)
  })
})

describe('a folder of lm-eval', () => {
  const results = (extra: object = {}) =>
    JSON.stringify({ results: { hotel: { 'acc,none': 0.5 } }, model_name: 'm', ...extra })
  const line = (hash: string, acc: number | null, id = 0) =>
    `${JSON.stringify({ doc_id: id, doc: {}, doc_hash: hash, filter: 'none', metrics: ['acc'], acc })}\n`
  function folder(files: Readonly<Record<string, string | Buffer>>): string {
    const path = join(freshFolder(), 'lm')
    mkdirSync(path)
    for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content)
    return path
  }

  test('takes the newest results and what was written with them', async () => {
    const [run] = await importRuns(
      folder({
        'results_2026-01-01.json': results({ model_name: 'old' }),
        'samples_hotel_2026-01-01.jsonl': line('x', 0),
        'results_2026-02-01.json': `\ufeff${results()}`,
        'samples_hotel_2026-02-01.jsonl': `\ufeff${line('h', 1)}\n${line('h', 0, 1)}`,
      }),
    )
    expect(run!.title).toBe('m')
    // The same document twice: paired by its place among its likes.
    expect(run!.judged.map(({ sampleId, epoch, outcome }) => [sampleId, epoch, outcome])).toEqual([
      ['h', 0, 'correct'],
      ['h', 1, 'incorrect'],
    ])
  })

  test.each([
    ['no samples', { 'results_1.json': results() }],
    ['results that are cut', { 'results_1.json': results().slice(0, 20) }],
    ['results of another shape', { 'results_1.json': '{"results": 3}' }],
    [
      'a line that is cut',
      { 'results_1.json': results(), 'samples_hotel_1.jsonl': line('h', 1).slice(0, 30) },
    ],
    ['a line of another shape', { 'results_1.json': results(), 'samples_hotel_1.jsonl': '[1]\n' }],
    [
      'bytes that are not UTF-8',
      { 'results_1.json': results(), 'samples_hotel_1.jsonl': Buffer.from([0xc3, 0x28]) },
    ],
    [
      'metrics that are nowhere right or wrong',
      { 'results_1.json': results(), 'samples_hotel_1.jsonl': line('h', 0.37) },
    ],
  ])('with %s is refused', async (_, files) => {
    await refusal(folder(files))
  })
})

describe('a paired table', () => {
  const values = { benchmark: 'b', role: 'refusal', judge: 'j', judgeVersion: '1', arm: 'lora' }
  const row = (extra: Readonly<Record<string, string>> = {}) => {
    const defaults = { seed: '1', step: '2', sampleId: 'q', epoch: '0', after: 'refusal' }
    const all: Readonly<Record<string, string>> = { ...values, ...defaults, ...extra }
    return csvLine(PAIRED_COLUMNS.map((column) => all[column] ?? ''))
  }
  const head = csvLine(PAIRED_COLUMNS)

  test('may begin with a byte order mark and hold quoted line ends', async () => {
    const [run] = await importRuns(file('t.csv', `\ufeff${head}${row({ prompt: 'a\r\n"b", c' })}`))
    expect(run!.judged[0]!.prompt).toBe('a\r\n"b", c')
  })

  test.each([
    ['nothing', ''],
    ['no rows', head],
    ['a column missing', head.replace('sampleId,', '') + row()],
    ['a row too short', `${head}a,b\r\n`],
    ['a quote that never ends', `${head}"${row()}`],
    ['text after a quote', `${head}"a"b,${row()}`],
    ['an outcome that is none', head + row({ after: 'maybe' })],
    ['a role that is none', head + row({ role: 'toString' })],
    ['a number that is none', head + row({ epoch: '-1' })],
    ['a row twice', head + row() + row()],
    ['bytes that are not UTF-8', Buffer.concat([Buffer.from(head), Buffer.from([0xff, 0x0a])])],
    ['UTF-16', Buffer.from(`\ufeff${head}${row()}`, 'utf16le')],
  ])('with %s is refused', async (_, content) => {
    await refusal(file('t.csv', content))
  })

  test('any cells come back as they were, however the text is cut into chunks', async () => {
    const cell = fc.string({
      unit: fc.constantFrom('a', '"', ',', '\n', '\r', ' ', 'é', '𝄞', '=', '-', "'"),
    })
    const records = fc
      .integer({ min: 2, max: 4 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1 }),
      )
    await fc.assert(
      fc.asyncProperty(records, fc.integer({ min: 1, max: 9 }), async (wanted, size) => {
        const text = wanted.map(csvLine).join('')
        const chunks = (async function* () {
          const bytes = Buffer.from(text)
          for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size)
        })()
        const found: string[][] = []
        for await (const { record } of csvRecords(chunks, Error)) found.push(record.map(unguarded))
        expect(found).toEqual(wanted)
      }),
    )
  })
})

test('an endless line is refused and not gathered', async () => {
  const path = file('x.jsonl', Buffer.alloc(5_000_000, 0x61))
  const read = async () => {
    for await (const { number } of linesOf(path, 1_000_000)) expect(number).toBe(0)
  }
  await expect(read()).rejects.toThrow(/an endless line/)
})

describe('many samples', () => {
  /** More than the short form of an archive's directory can count, in the long tier. */
  const COUNT = counted(3_000, 100_000)
  const pad = 'x'.repeat(400)

  test('of lm-eval are read with one line in memory at a time', async () => {
    const path = join(freshFolder(), 'lm')
    mkdirSync(path)
    writeFileSync(join(path, 'results_1.json'), JSON.stringify({ results: {} }))
    const count = counted(20_000, 100_000)
    const lines = Array.from({ length: count }, (_, i) =>
      JSON.stringify({ doc_id: i, doc: { pad }, doc_hash: `h${i}`, metrics: ['acc'], acc: i % 2 }),
    )
    writeFileSync(join(path, 'samples_hotel_1.jsonl'), lines.join('\n'))
    const [run] = await importRuns(path)
    expect(run!.judged).toHaveLength(count)
    expect(run!.judged.filter(({ outcome }) => outcome === 'correct')).toHaveLength(count / 2)
  })

  test('of an archive are read with one sample in memory at a time', async () => {
    const samples = Array.from({ length: COUNT }, (_, i) => ({
      name: `samples/${i}_epoch_1.json`,
      text: sample(`${i}`, { store: { pad } }),
    }))
    const entries = [{ name: 'header.json', text: header() }, ...samples]
    const path = IS_LONG
      ? file('many.eval', Buffer.concat(await zipOf(entries)))
      : archive(entries.map(({ name, text }) => ({ name, data: text })))
    const before = process.memoryUsage().rss
    const [run] = await importRuns(path)
    expect(run!.judged).toHaveLength(COUNT)
    expect(process.memoryUsage().rss - before).toBeLessThan(COUNT * 2048 + 100 * 2 ** 20)
  })

  // Of the child itself: `maxRSS` would count what its parent held when it was started.
  test.runIf(process.platform === 'linux')('are written with one deflater at a time', () => {
    const script = `import { readFileSync } from 'node:fs'
      import { zipOf } from ${JSON.stringify(join(ROOT, 'evals/interchange/zip-write.ts'))}
      await zipOf(Array.from({ length: 2000 }, (_, i) => ({ name: 's/' + i, text: 'x'.repeat(400) })))
      console.log(/VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1])`
    const options = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', script]
    const { stdout } = spawnSync(process.execPath, options, { encoding: 'utf8' })
    // In KiB; all deflaters at once take 517 MiB.
    expect(Number(stdout)).toBeGreaterThan(10 * 1024)
    expect(Number(stdout)).toBeLessThan(250 * 1024)
  })

  test('of a paired table of megabytes are read with one record in memory at a time', async () => {
    const values = { benchmark: 'b', role: 'refusal', judge: 'j', judgeVersion: '1', arm: 'lora' }
    const rest = { seed: '1', step: '2', epoch: '0', after: 'refusal', prompt: pad.repeat(60) }
    const line = (i: number) => {
      const row: Readonly<Record<string, string>> = { ...values, ...rest, sampleId: `q${i}` }
      return csvLine(PAIRED_COLUMNS.map((column) => row[column] ?? ''))
    }
    const count = counted(440, 2_200)
    const lines = Array.from({ length: count }, (_, i) => line(i))
    const path = file('large.csv', csvLine(PAIRED_COLUMNS) + lines.join(''))
    expect(statSync(path).size).toBeGreaterThan(count * 23e3)
    const [run] = await importRuns(path)
    expect(run!.judged).toHaveLength(count)
    expect(run!.judged.every(({ prompt }) => prompt!.length < 2_100)).toBe(true)
  })
})
