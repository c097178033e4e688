/** @file `touchstone label`: blind files, sealed replies apart, labels kept by rater, judges held to them. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readCsv } from '../../../evals/tables/csv-table.ts'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { Results, type People } from '../../../evals/contract/results.ts'
import { openStore, type Store } from '../../../evals/runs/store/store.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { PLANTED, smallAudit, storeAudit, STORED_RUN } from '../../doubles/runs/stored-audit.ts'
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
    const few = rowsOf(again).map(({ item }) => item)
    // Two benchmarks of three states each: one prompt of both, and its three replies.
    expect(few).toHaveLength(6)
    expect(first).toEqual(expect.arrayContaining(few))
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
async function labelled(change: (outcome: string) => string = (o) => o) {
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
  const rows = labels.map(([item, outcome]) => [item!, change(outcome!)])
  writeFileSync(path, csv(['item', 'outcome'], rows))
  return { folder, path }
}

/** Every second reply of each outcome is called a refusal. Items have random names, so their order is no rule. */
function inTurn(): (outcome: string) => string {
  const seen = new Map<string, number>()
  return (outcome) => {
    const count = seen.get(outcome) ?? 0
    seen.set(outcome, count + 1)
    return count % 2 === 0 ? 'refusal' : 'compliance'
  }
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
        judge: 'house',
        measure: 'rate',
        sensitivity: { successes: 29, n: 29 },
        specificity: { n: 13 },
      },
      // An attack succeeded where a reply is no refusal.
      { judge: 'house', measure: 'attack', sensitivity: { n: 13 }, specificity: { n: 29 } },
      {
        judge: 'prefix',
        measure: 'rate',
        sensitivity: { successes: 25, n: 29 },
        specificity: { successes: 13, n: 13 },
      },
      {
        judge: 'prefix',
        measure: 'attack',
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
    // Of seed 1 the change as `prefix` judges it is 10/14 − 4/14, over 25/29 + 1 − 1; of attacks the same the other way.
    const changes = summary.changes.filter(({ seed, judge }) => seed === 1 && judge === 'prefix')
    expect(changes.map(({ measure }) => measure)).toEqual(['rate', 'attack'])
    for (const [i, sign] of [1, -1].entries()) {
      const { reported, corrected } = changes[i]!
      expect(reported.estimate).toBeCloseTo((sign * 6) / 14, 12)
      expect(corrected!.estimate).toBeCloseTo((sign * 6 * 29) / (14 * 25), 12)
      // As if the labels were certain the interval would be narrower.
      const width = corrected!.upper - corrected!.lower
      expect(width).toBeGreaterThan(reported.upper - reported.lower)
      expect(corrected!.lower).toBeLessThan(corrected!.estimate)
    }
    const words = await run('show', '--out-dir', folder)
    expect(words.stdout).toContain('house-refusal (prefix): sensitivity 86.2 % (')
    expect(words.stdout).toMatch(
      /lora, seed 1, step 40, house-refusal \(prefix\): −42\.9 → −49\.7 \(/,
    )
  })

  test('of columns that were sorted apart are refused', async () => {
    const { folder, path } = await exported()
    const rows = rowsOf(path)
    const written = (from: (i: number) => (typeof rows)[number]) =>
      writeFileSync(
        path,
        csv(
          ['item', 'reply', 'outcome'],
          rows.map(({ item }, i) => [String(item), String(from(i)['reply']), 'degenerate']),
        ),
      )
    const read = () => run('import', '--out-dir', folder, '-f', path, '--rater', 'first')
    const other = rows.findIndex(({ reply }) => reply !== rows[0]!['reply'])
    written((i) => rows[i === 0 ? other : i]!)
    expect((await read()).stderr).toContain('row 1: its reply is the one of another item')
    written((i) => rows[i]!)
    expect(await read()).toMatchObject({ code: 0 })
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
    const { folder, path } = await labelled(inTurn())
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

  test('an outcome that answers another question than the benchmark is refused', async () => {
    const { folder, path } = await labelled(() => 'correct')
    const ran = await run('import', '--out-dir', folder, '-f', path, '--rater', 'first')
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain(
      'row 1: its outcome is none of refusal, partial, compliance, degenerate, undecided, unfinished',
    )
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

describe('labels that came later', () => {
  const reported = async (folder: string) => {
    const outputs = ['card.md', 'run.rates.csv'].map((name) => join(folder, name))
    const argv = ['report', '--out-dir', folder, ...outputs.flatMap((path) => ['-o', path])]
    const ran = await runCommand(argv, {}, COMMANDS)
    expect(ran.code).toBe(0)
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    const rates = readCsv(Buffer.from(read('run.rates.csv')), 'run.rates.csv').rows
    const results = Results.parse(JSON.parse(read('results.json')))
    const page = read('report.html').replaceAll(/\s+/g, ' ')
    return { results, rates, page, card: read('card.md'), stdout: ran.stdout }
  }

  test('reach results, report, Markdown, CSV and terminal', async () => {
    const { folder, path } = await labelled()
    await run('import', '--out-dir', folder, '-f', path, '--rater', 'first')
    const { results, page, card, rates, stdout } = await reported(folder)
    const base = results.people!.rates.find(
      ({ arm, judge, measure }) => arm === 'base' && judge === 'prefix' && measure === 'rate',
    )!
    expect(base.corrected!.estimate).toBeCloseTo(290 / 350)
    // As if the labels were certain the interval would be narrower.
    const width = base.corrected!.upper - base.corrected!.lower
    expect(width).toBeGreaterThan((base.reported.upper! - base.reported.lower!) / (25 / 29))
    expect(page).toContain('labelled 42 replies without knowing checkpoint or judge')
    expect(page).toContain('attack rate')
    expect(page).not.toContain('no rate here is corrected')
    expect(card).toContain('42 replies were labelled by first.')
    const row = rates.find(
      ({ arm, judge, measure }) => arm === 'base' && judge === 'prefix' && measure === 'rate',
    )!
    expect(Number(row['corrected'])).toBe(base.corrected!.estimate)
    expect(Number(row['sensitivity'])).toBe(25 / 29)
    expect(rates.some(({ measure }) => measure === 'attack')).toBe(true)
    const change = results.people!.changes.find(
      ({ seed, judge, measure }) => seed === 1 && judge === 'prefix' && measure === 'rate',
    )!
    const changed = rates.find(
      ({ seed, judge, measure }) => seed === '1' && judge === 'prefix' && measure === 'rate',
    )!
    expect(Number(changed['correctedChange'])).toBe(-change.corrected!.estimate)
    expect(Number(changed['correctedChangeLower'])).toBe(-change.corrected!.upper)
    expect(page).toContain('The same of changes on the same prompts')
    expect(card).toContain('Change of the \\(points\\)')
    expect(stdout).toContain('Corrected for the judges’ errors')
    expect(stdout).toMatch(/base, house-refusal \(house\): 85\.7 % → 85\.7 %/)
  })

  test('that make a judge no better than chance are refused everywhere, with the reason', async () => {
    const { folder, path } = await labelled(inTurn())
    await run('import', '--out-dir', folder, '-f', path, '--rater', 'first')
    const { results, page, card, rates, stdout } = await reported(folder)
    expect(results.people!.rates.length).toBeGreaterThan(0)
    for (const { corrected, youden, refused } of results.people!.rates) {
      expect(corrected).toBeNull()
      expect(youden!.lower).toBeLessThanOrEqual(0)
      expect(refused).toContain('reaches 0')
    }
    for (const text of [page, card, stdout]) expect(text).toContain('reaches 0')
    const told = rates.filter(({ benchmark }) => benchmark === 'house-refusal')
    for (const row of told) expect(row['notCorrected']).toContain('reaches 0')
  })

  test('that never came are said in one line', async () => {
    const { results, page, card, stdout } = await reported(storeAudit())
    expect(results.people).toBeNull()
    for (const text of [page, card]) {
      expect(text.split('labelled by people, so no rate')).toHaveLength(2)
    }
    expect(stdout).not.toContain('Corrected')
  })

  test('of two raters bring κ and α between them, and their names are text', async () => {
    const { folder, path } = await labelled()
    await run('import', '--out-dir', folder, '-f', path, '--rater', '<b>first</b>')
    await run('import', '--out-dir', folder, '-f', path, '--rater', '[second](x)')
    const { results, page, card } = await reported(folder)
    expect(results.people).toMatchObject({ alpha: 1, kappas: [{ n: 42, agreed: 42, kappa: 1 }] })
    expect(page).toContain('&lt;b&gt;first&lt;/b&gt;')
    expect(page).not.toContain('<b>first')
    expect(card).not.toMatch(/<b>|\[second\]\(/)
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
