/** @file `touchstone label`: blind files, sealed replies apart, labels kept by rater, judges held to them. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readCsv } from '../../../evals/benchmarks/import/csv.ts'
import { COMMANDS } from '../../../evals/cli/commands/registry.ts'
import type { People } from '../../../evals/contract/results.ts'
import { openStore, type Store } from '../../../evals/store/store.ts'
import { freshFolder, runCommand } from '../../doubles/command-line.ts'
import { PLANTED, smallAudit, storeAudit, STORED_RUN } from '../../doubles/stored-audit.ts'
import { csv } from '../benchmarks/import/files.ts'

const run = (...argv: string[]) => runCommand(['label', ...argv], {}, COMMANDS)
const inStore = <T>(folder: string, action: (store: Store) => T): T => {
  const store = openStore(join(folder, 'touchstone.db'))
  try {
    return action(store)
  } finally {
    store.close()
  }
}
const rowsOf = (path: string) => readCsv(readFileSync(path), path).rows
const EVERYTHING = ['--count', '1000']

async function exported(...more: string[]) {
  const folder = storeAudit()
  const path = join(freshFolder(), 'labels.csv')
  const ran = await run('export', '--out-dir', folder, '-f', path, ...EVERYTHING, ...more)
  return { folder, path, sealed: path.replace('.csv', '.sealed.csv'), ran }
}

describe('export', () => {
  test('names neither arm nor judge, and leaves sealed replies out', async () => {
    const { path, sealed, ran, folder } = await exported()
    expect(ran).toMatchObject({ code: 0, stdout: `Wrote 66 replies to ${path}.\n` })
    const text = readFileSync(path, 'utf8')
    expect(text).not.toMatch(/lora|base|house|prefix/)
    expect(text).not.toContain(PLANTED)
    expect(existsSync(sealed)).toBe(false)
    expect(statSync(path).mode & 0o077).toBe(0)
    const rows = rowsOf(path)
    for (const { item, outcome } of rows) {
      expect(item).toMatch(/^[0-9a-f]{12}$/)
      expect(outcome).toBe('')
    }
    const events = inStore(folder, (store) => store.events(STORED_RUN))
    expect(JSON.stringify(events)).not.toContain('unblind')
  })

  test('with a reason, sealed replies go to a second file, and the log says so', async () => {
    const { path, sealed, folder } = await exported('--unblind', 'Checking the judges')
    expect(readFileSync(path, 'utf8')).not.toContain(PLANTED)
    expect(rowsOf(sealed)).toHaveLength(42)
    expect(readFileSync(sealed, 'utf8')).toContain(PLANTED)
    const { unblinded } = inStore(folder, (store) => store.rows(STORED_RUN))
    expect(unblinded).toMatchObject([{ reason: 'Checking the judges' }])
  })

  test('is shuffled, keeps names when it is written again, and draws as many as asked', async () => {
    const { folder, path } = await exported()
    const again = join(freshFolder(), 'again.csv')
    await run('export', '--out-dir', folder, '-f', again, '--count', '9')
    const first = rowsOf(path).map(({ item }) => item)
    expect(rowsOf(again).map(({ item }) => item)).toEqual(first.slice(0, 9))
    const stored = smallAudit().replies.filter(({ text }) => text !== null)
    expect(rowsOf(path).map(({ reply }) => reply)).not.toEqual(stored.map(({ text }) => text))
    const one = join(freshFolder(), 'one.csv')
    await run('export', '--out-dir', folder, '-f', one, '--benchmark', 'house-capability')
    expect(rowsOf(one)).toHaveLength(36)
  })

  test('does not replace a file', async () => {
    const { folder, path } = await exported()
    expect(await run('export', '--out-dir', folder, '-f', path)).toMatchObject({ code: 1 })
  })
})

/** Labels every reply of `house-refusal` as the judge `house` did, but for what `change` says. */
async function labelled(change: (outcome: string, index: number) => string = (o) => o) {
  const { folder } = await exported('--unblind', 'Checking the judges')
  const labels = inStore(folder, (store) => {
    const said = new Map(
      store
        .rows(STORED_RUN)
        .verdicts.filter(({ judge }) => judge === 'house')
        .map((row) => [[row.arm, row.seed, row.benchmark, row.sampleId].join(), row.outcome]),
    )
    return store.evidence
      .labelItems(STORED_RUN)
      .filter(({ benchmark }) => benchmark === 'house-refusal')
      .map((key) => [key.item, said.get([key.arm, key.seed, key.benchmark, key.sampleId].join())!])
  })
  const path = join(freshFolder(), 'filled.csv')
  const rows = labels.map(([item, outcome], i) => [item!, change(outcome!, i)])
  writeFileSync(path, csv(['item', 'outcome'], rows))
  return { folder, path }
}

describe('labels', () => {
  test('give each judge its sensitivity and specificity, and corrected rates: hand values', async () => {
    const { folder, path } = await labelled()
    const ran = await run('import', '--out-dir', folder, '-f', path, '--rater', 'first')
    expect(ran.stdout).toBe('Stored 42 labels of first.\n')
    const { stdout } = await run('show', '--out-dir', folder, '--json')
    const summary = JSON.parse(stdout) as People
    expect(summary).toMatchObject({ labelled: 42, raters: ['first'], alpha: null, tied: 0 })
    // Refused: 12 of the base, 12 − 9 + 1 and 12 + 1 of the arms; `prefix` misses the first two of the base and of seed 2.
    expect(summary.judges).toMatchObject([
      {
        ...{ judge: 'house', measure: 'rate' },
        sensitivity: { successes: 29, n: 29 },
        specificity: { n: 13 },
      },
      // An attack succeeded where a reply is no refusal.
      { judge: 'house', measure: 'attack', sensitivity: { n: 13 }, specificity: { n: 29 } },
      {
        ...{ judge: 'prefix', measure: 'rate' },
        sensitivity: { successes: 25, n: 29 },
        specificity: { successes: 13, n: 13 },
      },
      {
        ...{ judge: 'prefix', measure: 'attack' },
        sensitivity: { successes: 13, n: 13 },
        specificity: { successes: 25, n: 29 },
      },
    ])
    // (10/14 + 1 − 1)/(25/29 + 1 − 1) = 290/350.
    const base = summary.rates.filter(({ arm, judge }) => arm === 'base' && judge === 'prefix')
    expect(base.map(({ measure }) => measure)).toEqual(['rate', 'attack'])
    expect(base[0]!.corrected!.estimate).toBeCloseTo(290 / 350)
    // Of 14 replies each is a refusal or an attack, so the two rates are complements, and so are their intervals.
    expect(base[1]!.corrected!.estimate).toBeCloseTo(1 - 290 / 350)
    expect(base[1]!.corrected!.lower).toBeCloseTo(1 - base[0]!.corrected!.upper)
    const words = await run('show', '--out-dir', folder)
    expect(words.stdout).toContain('house-refusal (prefix): sensitivity 86.2 % (')
  })

  test('of two raters are kept apart; ties count nowhere; the last word of a rater counts', async () => {
    const { folder, path } = await labelled()
    await run('import', '--out-dir', folder, '-f', path, '--rater', 'first')
    const text = readFileSync(path, 'utf8')
    const [item, outcome] = text.split('\n')[1]!.split(',')
    const other = outcome === 'refusal' ? 'compliance' : 'refusal'
    writeFileSync(path, `item,outcome\n${item},${other}\n`)
    await run('import', '--out-dir', folder, '-f', path, '--rater', 'second')
    const summary = async () =>
      JSON.parse((await run('show', '--out-dir', folder, '--json')).stdout) as People
    expect(await summary()).toMatchObject({ labelled: 42, raters: ['first', 'second'], tied: 1 })
    await run('import', '--out-dir', folder, '-f', path, '--rater', 'first')
    expect(await summary()).toMatchObject({ labelled: 42, tied: 0 })
    expect(inStore(folder, (store) => store.evidence.labels(STORED_RUN))).toHaveLength(44)
  })

  test('a judge no better than chance gets no corrected rate, and the reason', async () => {
    const { folder, path } = await labelled((_, i) => (i % 2 === 0 ? 'refusal' : 'compliance'))
    await run('import', '--out-dir', folder, '-f', path, '--rater', 'first')
    const { stdout } = await run('show', '--out-dir', folder)
    expect(stdout).toContain('not corrected: the interval of sensitivity + specificity − 1')
  })

  test.each([
    ['an item of another run', 'item,outcome\nffff,refusal\n', 'row 1: its item is none of this'],
    ['no outcome column', 'item,label\na,b\n', 'it has no column outcome'],
  ])('%s is refused', async (_, contents, words) => {
    const { folder } = await exported()
    const path = join(freshFolder(), 'bad.csv')
    writeFileSync(path, contents)
    const ran = await run('import', '--out-dir', folder, '-f', path, '--rater', 'first')
    expect(ran.stderr).toContain(words)
    expect(inStore(folder, (store) => store.evidence.labels(STORED_RUN))).toEqual([])
  })

  test('a wrong outcome and an item twice are refused, and nothing is stored', async () => {
    const { folder, path } = await exported()
    const item = String(rowsOf(path)[0]!['item'])
    for (const rows of [
      [[item, 'nice']],
      [
        [item, 'correct'],
        [item, 'correct'],
      ],
    ]) {
      writeFileSync(path, csv(['item', 'outcome'], rows))
      const ran = await run('import', '--out-dir', folder, '-f', path, '--rater', 'first')
      expect(ran.code).not.toBe(0)
    }
    expect(inStore(folder, (store) => store.evidence.labels(STORED_RUN))).toEqual([])
  })
})

test.each([
  [['--out-dir', 'DIR'], 'Nothing was asked for'],
  [['mark', '--out-dir', 'DIR'], '"mark" is nothing to do here'],
  [['export', '--out-dir', 'DIR'], '--file is missing'],
  [['import', '--out-dir', 'DIR', '-f', 'x.csv'], '--rater is missing'],
  [['show', '--out-dir', 'DIR'], 'has no labels yet'],
])('%j is refused', async (argv, words) => {
  const folder = storeAudit()
  const ran = await run(...argv.map((word) => (word === 'DIR' ? folder : word)))
  expect(ran.code).not.toBe(0)
  expect(ran.stderr).toContain(words)
})
