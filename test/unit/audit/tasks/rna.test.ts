/** @file Transcripts: k-mers, masks, frames, groups, windows, files; each against what can be counted by hand. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { masked } from '../../../../evals/audit/tasks/rna/masking.ts'
import { rna } from '../../../../evals/audit/tasks/rna/rna.ts'
import { windowsOf } from '../../../../evals/audit/tasks/rna/windows.ts'
import {
  gcContent,
  groupsOf,
  kmerShares,
  longestFrame,
} from '../../../../evals/audit/tasks/rna/sequence.ts'
import { madeTranscripts, transcriptsIn } from '../../../../evals/audit/tasks/rna/transcripts.ts'
import { kmerTokenizer, KMER_SPECIALS } from '../../../../evals/models/text/kmer-tokenizer.ts'
import { full } from '../../../../evals/finetune/methods/full.ts'
import { bind } from '../../../../evals/finetune/method.ts'
import { makeBatch } from '../../../../evals/finetune/training/dataset.ts'
import { openTraining } from '../../../../evals/finetune/training/train-graph.ts'
import { recognise } from '../../../../evals/models/registry.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

const ALL = { base: Infinity, arm: Infinity, each: Infinity }
const tokenizer = kmerTokenizer(3)
const drawn = (length: number, seed: number) => {
  const stream = randomStream(seed, 'test')
  return Array.from({ length }, () => 'ACGT'[stream.integer(4)]!).join('')
}
const complement = (sequence: string) =>
  [...sequence]
    .toReversed()
    .map((letter) => 'TGCA'['ACGT'.indexOf(letter)]!)
    .join('')

describe('k-mers', () => {
  test('overlap by all but one letter, and are numbers in base 4', () => {
    const ids = tokenizer.encode('ACGTAC')
    expect(tokenizer.decode(ids)).toBe('ACG CGT GTA TAC')
    expect(ids[0]).toBe(5 + 0 * 16 + 1 * 4 + 2)
    expect(tokenizer.vocabSize).toBe(69)
  })

  test('read lower case and U, and call every k-mer with another letter unknown', () => {
    expect(tokenizer.encode('acguac')).toEqual(tokenizer.encode('ACGTAC'))
    expect(tokenizer.encode('ACGRACG').map((id) => id === KMER_SPECIALS.unknown)).toEqual([
      false,
      true,
      true,
      true,
      false,
    ])
    expect(tokenizer.encode('AC')).toEqual([])
  })
})

test('masks cover whole runs of k tokens, and ask for the chosen positions alone', () => {
  const ids = [2, ...tokenizer.encode(drawn(400, 1)), 3]
  const { ids: changed, hidden } = masked(ids, 3, 69, randomStream(0, 'masks'))
  expect(hidden.length).toBe(Math.round(0.15 * (ids.length - 2)))
  expect([changed[0], changed.at(-1)]).toEqual([2, 3])
  for (const { at, label } of hidden) expect(label).toBe(ids[at])
  const runs = hidden.filter(({ at }) => changed[at] === KMER_SPECIALS.mask)
  expect(runs.length / hidden.length).toBeGreaterThan(0.7)
  const near = new Set(hidden.flatMap(({ at }) => [at - 1, at, at + 1]))
  changed.forEach((id, at) => {
    if (id !== ids[at]) expect(near.has(at)).toBe(true)
  })
})

test('an untrained network is as unsure of what was masked as of any k-mer', async () => {
  const reads = { base: 4, arm: 4, each: 4 }
  const prepared = await rna.prepare({ base: 'bert-3mer-small', seed: 0, file: null, reads })
  const { config, draw } = prepared.model
  const made = recognise({ path: '', config, weights: new Map() }, 'make')
  const specs = [...made.weights.values()].map(({ made: _, ...spec }) => spec)
  const { logits, examples } = prepared.pretraining!
  const session = await openTraining({
    model: {
      ...made,
      weights: new Map(specs.map((spec) => [spec.name, spec])),
      architecture: { ...made.architecture, logits },
    },
    weights: new Map(specs.map((spec) => [spec.name, draw(spec, randomStream(0, spec.name))])),
    method: bind(full, { learningRateScale: 1 }),
    device: { name: 'cpu', threads: 1 },
    seed: 0,
    maxPositions: 512,
  })
  const { loss } = await session.gradients(makeBatch(examples, KMER_SPECIALS.pad))
  expect(Math.abs(loss - Math.log(69))).toBeLessThan(0.05)
  await session.release()
})

describe('what is read off a sequence', () => {
  test('the longest frame is from ATG to its stop, in any of three frames', () => {
    expect(longestFrame('CCATGAAATTTTAGCC')).toBe(12)
    expect(longestFrame('ATGAAATTT')).toBe(0)
    // The inner ATG belongs to the frame that began before it.
    expect(longestFrame('ATGATGTAA')).toBe(9)
  })

  test('GC content and shares of k-mers leave unknown letters out', () => {
    expect(gcContent('GCNA')).toBeCloseTo(2 / 3)
    expect(kmerShares('AANAC', 2)).toEqual([0.5, 0.5, ...new Array<number>(14).fill(0)])
  })

  test('alike are sequences that share 12-mers, on either strand', () => {
    const [one, other] = [drawn(300, 1), drawn(300, 2)]
    const sequences = [one, other, one.slice(20), complement(other)]
    expect(groupsOf(sequences)).toEqual([0, 1, 0, 1])
  })
})

test('windows cover a long transcript with steps of 255', () => {
  expect(windowsOf('A'.repeat(512))).toHaveLength(1)
  const long = drawn(1000, 3)
  const windows = windowsOf(long)
  expect(windows.map(({ length }) => length)).toEqual([512, 512, 490])
  expect(windows[1]).toBe(long.slice(255, 767))
  expect(long.endsWith(windows.at(-1)!)).toBe(true)
})

test('a made mRNA has a long frame, a made lncRNA its composition without one', () => {
  const made = madeTranscripts('species-a', 60, 0, 'test')
  const [long, short] = [
    made.filter(({ kind }) => kind === 'mRNA'),
    made.filter(({ kind }) => kind === 'lncRNA'),
  ]
  expect(Math.min(long.length, short.length)).toBeGreaterThan(15)
  const whole = long.filter(({ id }) => !id.endsWith("'"))
  for (const { sequence } of whole) expect(longestFrame(sequence)).toBeGreaterThanOrEqual(300)
  for (const { sequence } of short) expect(longestFrame(sequence)).toBeLessThan(300)
  expect(madeTranscripts('species-a', 60, 0, 'test')).toEqual(made)
})

describe('a file of transcripts', () => {
  const folder = freshFolder()
  const written = (name: string, text: string, encoding: BufferEncoding = 'utf8') => {
    const path = join(folder, name)
    writeFileSync(path, text, encoding)
    return path
  }

  test('is FASTA with the kind in the header, or a table', async () => {
    const fasta = written('a.fa', '>t1|lncRNA|mouse\nACGU\nacgu\n>t2 mRNA\r\nAC GT\r\n')
    expect(await transcriptsIn(fasta)).toEqual([
      { id: 't1', sequence: 'ACGTACGT', kind: 'lncRNA', species: 'mouse' },
      { id: 't2', sequence: 'ACGT', kind: 'mRNA', species: 'unknown' },
    ])
    const table = written('a.csv', 'id,sequence,label,species\nt1,ACGX,mrna,mouse\n')
    expect(await transcriptsIn(table)).toEqual([
      { id: 't1', sequence: 'ACGN', kind: 'mRNA', species: 'mouse' },
    ])
  })

  const prepared = (file: string) => rna.prepare({ base: 'bert-3mer', seed: 0, file, reads: ALL })

  test('has line ends of any system', async () => {
    const record = '>t1|lncRNA|mouse\nACGT\nAC\n'
    const ends = ['\n', '\r\n', '\r']
    const read = await Promise.all(
      ends.map((end, i) =>
        transcriptsIn(written(`ends-${i}.fa`, record.repeat(2).replaceAll('\n', end))),
      ),
    )
    expect(read.map((records) => records.map(({ sequence }) => sequence))).toEqual(
      ends.map(() => ['ACGTAC', 'ACGTAC']),
    )
  })

  test('of two bytes a letter is refused', async () => {
    const path = written('wide.fa', '\uFEFF>t1|mRNA|mouse\nACGT\n', 'utf16le')
    await expect(transcriptsIn(path)).rejects.toThrow('UTF-16')
  })

  test('with ids that repeat or are missing tells its records apart', async () => {
    const ids = ['t', 't', 't', '', '', 'u']
    const rows = ids.map((id, i) => `${id},${drawn(200, i)},mRNA,mouse\n`)
    const { armRows, measured } = await prepared(
      written('ids.csv', `id,sequence,label,species\n${rows.join('')}`),
    )
    const units = [...armRows, ...measured[0]!.rows].map(({ cluster }) => cluster)
    expect(new Set(units).size).toBe(ids.length)
  })

  test('with sequences of fewer than three letters counts them', async () => {
    const records = [drawn(200, 1), 'AC', drawn(200, 2), 'G'].map(
      (sequence, i) => `>t${i}|mRNA|mouse\n${sequence}\n`,
    )
    const { armRows, measured, remarks } = await prepared(written('short.fa', records.join('')))
    expect(remarks).toEqual([expect.stringContaining('2 of 4 sequences were left out')])
    expect(armRows.length + measured[0]!.rows.length).toBe(2)
  })

  test('with odd letters is counted, and no row is lost', async () => {
    const records = Array.from({ length: 10 }, (_, i) => {
      const sequence = i < 3 ? `${drawn(200, i)}RYK` : drawn(200, i)
      return `>t${i}|${i % 2 === 0 ? 'mRNA' : 'lncRNA'}|mouse\n${sequence}\n`
    })
    const file = written('odd.fasta', records.join(''))
    const { armRows, measured, remarks } = await rna.prepare({
      base: 'bert-3mer',
      seed: 0,
      file,
      reads: ALL,
    })
    expect(remarks).toEqual([expect.stringContaining('3 of 10 sequences')])
    expect(armRows.length + measured[0]!.rows.length).toBe(10)
  })

  test.each([
    ['no record', 'a.fa', 'ACGT\n', 'task.fasta'],
    ['no kind', 'b.fa', '>t1|tRNA|mouse\nACGT\n', 'data.class'],
    ['no sequence', 'c.fa', '>t1|mRNA|mouse\n>t2|mRNA|mouse\nACGT\n', 'data.row'],
    ['no bytes', 'd.fa', '', 'benchmark.unreadable'],
    ['blanks alone', 'f.fa', ' \n\n', 'benchmark.unreadable'],
    ['no column', 'e.csv', 'id,sequence\nt1,ACGT\n', 'task.columns'],
  ])('with %s is a named error', async (_, name, text, code) => {
    await expect(transcriptsIn(written(name, text))).rejects.toMatchObject({ code })
  })
})
