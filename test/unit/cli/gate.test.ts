/** @file `--gate` on report, compare and audit: each outcome of a planted change with its exit code, and gates that are none. */
import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { type GateClaim, type GateResult } from '../../../evals/contract/gate.ts'
import { GateRule } from '../../../evals/contract/gate/rule.ts'
import { Results } from '../../../evals/contract/results.ts'
import { ArtifactRow } from '../../../evals/contract/rows.ts'
import { pinnedIn } from '../../../evals/findings/pinned.ts'
import { referenceRow, withReference } from '../../../evals/runs/reference.ts'
import { marginTests } from '../../../evals/statistics/paired/non-inferiority.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { REFUSAL } from '../../doubles/rows/audit-rows.ts'
import { problems, type Schema } from '../../doubles/rows/schema-reader.ts'
import {
  gateFile,
  refusalGate,
  storeChange,
  storeLonger,
} from '../../doubles/runs/stored-change.ts'
import { processorMs } from '../../doubles/processor-time.ts'

const run = (...argv: string[]) => runCommand(argv, {}, COMMANDS)
const readJson = (path: string | URL): unknown => JSON.parse(readFileSync(path, 'utf8'))
const resultsIn = (folder: string) => Results.parse(readJson(join(folder, 'results.json')))
const SCHEMA = readJson(new URL('../../../docs/results.schema.json', import.meta.url)) as Schema

/** Lost prompts of 96, margin, outcome, exit code. */
const PLANTED = [
  [0, 0.1, 'PASS', 0],
  [60, 0.1, 'FAIL', 100],
  [6, 0.05, 'INCONCLUSIVE', 101],
] as const
const MISSPELT = [
  ['a benchmark', 'house-refusl: { margin: 0.1 }', 'Did you mean house-refusal?'],
  ['a benchmark like no other', 'zebra: { margin: 0.1 }', 'It has: house-refusal.'],
  ['a judge', 'house-refusal: { margin: 0.1, judge: nobody }', 'names the judge of house-refusal'],
] as const

describe('touchstone report --gate', () => {
  test.each(PLANTED)('%d lost at a margin of %d is %s, exit code %d', async (...planted) => {
    const [lost, margin, outcome, code] = planted
    const folder = storeChange({ lost })
    const ran = await run('report', '--out-dir', folder, '--gate', refusalGate(margin), '--json')
    expect(ran.code).toBe(code)
    expect(JSON.parse(ran.stdout)).toMatchObject({ gate: outcome })
    const { gate } = resultsIn(folder)
    const p = marginTests({ lost, gained: 0, n: 96 }, margin)!
    expect(gate!.outcome).toBe(outcome)
    expect(gate!.claims[0]).toMatchObject({
      ...{ outcome, lost, gained: 0, n: 96, margin, pBelow: p.below, pAbove: p.above },
    })
    expect(gate!.advice.length > 0).toBe(outcome === 'FAIL')
    const page = readFileSync(join(folder, 'report.html'), 'utf8')
    expect(page).toContain(`Gate: ${outcome}`)
  })

  test('in words, the gate goes before the verdict', async () => {
    const folder = storeChange({ lost: 60 })
    const { stdout } = await run('report', '--out-dir', folder, '--gate', refusalGate(0.1))
    expect(stdout.startsWith('Gate: FAIL')).toBe(true)
  })

  test.each(MISSPELT)(
    '%s that was not measured is an error that names those near',
    async (...given) => {
      const [, text, said] = given
      const [folder, gate] = [storeChange({}), gateFile(`benchmarks: { ${text} }`)]
      const ran = await run('report', '--out-dir', folder, '--gate', gate)
      expect(ran).toMatchObject({ code: 1, stdout: '' })
      expect(ran.stderr).toContain(said)
      expect(() => resultsIn(folder)).toThrow('ENOENT')
    },
  )

  test('one seed that fails is enough; all have to pass', async () => {
    const rows = storeChange({ lost: 60 }, [1, 2, 3])
    const ran = await run('report', '--out-dir', rows, '--gate', refusalGate(0.1))
    expect(ran.code).toBe(100)
    const { claims } = resultsIn(rows).gate!
    const failed = claims.filter(({ outcome }) => outcome === 'FAIL')
    expect(new Set(failed.map(({ seed }) => seed))).toEqual(new Set([1, 2, 3]))
  })

  test('without a gate the default one decides, and the exit code is 0', async () => {
    const folder = storeChange({ lost: 60 })
    expect(await run('report', '--out-dir', folder)).toMatchObject({ code: 0 })
    expect(resultsIn(folder).gate).toMatchObject({ outcome: 'FAIL', isDefault: true })
  })

  test('--exit-zero decides and exits with 0', async () => {
    const argv = ['--gate', refusalGate(0.1), '--exit-zero', '--json']
    const ran = await run('report', '--out-dir', storeChange({ lost: 60 }), ...argv)
    expect(ran.code).toBe(0)
    expect(JSON.parse(ran.stdout)).toMatchObject({ gate: 'FAIL' })
  })

  test('what is allowed is written into the results, from the flag and from the file', async () => {
    const folder = storeChange({})
    const gate = gateFile(
      'benchmarks: { house-refusal: { margin: 0.1 } }\nallowDifferences: [seed]',
    )
    await run('report', '--out-dir', folder, '--gate', gate, '--allow-differences', 'template')
    expect(resultsIn(folder).gate!.allowedDifferences).toEqual(['seed', 'template'])
  })
})

describe('touchstone compare --gate', () => {
  test.each(PLANTED)('%d lost at a margin of %d is %s, exit code %d', async (...planted) => {
    const [lost, margin, outcome, code] = planted
    const folder = storeChange({ lost })
    const argv = [folder, folder, '--arms', 'base,lora', '--gate', refusalGate(margin)]
    const ran = await run('compare', ...argv)
    expect(ran.code).toBe(code)
    expect(ran.stdout.startsWith(`Gate: ${outcome}`)).toBe(true)
    expect((await run('compare', ...argv, '--exit-zero')).code).toBe(0)
  })

  test('the two commands make the same claim of the same pair', async () => {
    const folder = storeChange({ lost: 6, gained: 1 })
    const gate = ['--gate', refusalGate(0.05)]
    await run('report', '--out-dir', folder, ...gate)
    const ran = await run('compare', folder, folder, '--arms', 'base,lora', ...gate, '--json')
    const found = JSON.parse(ran.stdout) as { gate: { claims: unknown } }
    expect(found.gate.claims).toEqual(resultsIn(folder).gate!.claims)
  })

  test('the loss since a reference is a claim of its own, the same in both', async () => {
    const [folder, first] = [storeChange({ lost: 6 }), storeChange({ gained: 2 })]
    const text = `benchmarks: { ${REFUSAL.name}: { margin: 0.2 } }`
    const pinned = gateFile(`${text}\nreference: { run: ${first}, arm: lora, margin: 0.05 }`)
    const since = (claims: readonly GateClaim[]) => claims.filter(({ against }) => against)
    await run('report', '--out-dir', folder, '--gate', pinned)
    const { claims, outcome } = resultsIn(folder).gate!
    expect([outcome, since(claims).length]).toEqual(['INCONCLUSIVE', 1])
    expect(since(claims)[0]).toMatchObject({ before: 1, lost: 8, margin: 0.05 })
    const argv = [folder, folder, '--arms', 'base,lora', '--gate', pinned, '--json']
    const ran = JSON.parse((await run('compare', ...argv)).stdout) as { gate: GateResult }
    expect(since(ran.gate.claims)).toEqual(since(claims))
  })

  test('--reference alone holds the default gate against it; one that is not there is an error', async () => {
    const [folder, first] = [storeChange({}), storeChange({})]
    const argv = ['report', '--out-dir', folder, '--reference']
    expect(await run(...argv, first)).toMatchObject({ code: 0 })
    const { rule, assumptions } = resultsIn(folder).gate!
    expect(rule).toMatchObject({ margin: 0.05, reference: { run: first } })
    expect(assumptions!.find(({ name }) => name === 'reference')!.state).toBe('checked')
    expect(await run(...argv, join(folder, 'nowhere'))).toMatchObject({ code: 1, stdout: '' })
  })

  test.each(MISSPELT)('%s that neither side measured is an error', async (_, text, said) => {
    const [folder, gate] = [storeChange({}), gateFile(`benchmarks: { ${text} }`)]
    const ran = await run('compare', folder, folder, '--arms', 'base,lora', '--gate', gate)
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    expect(ran.stderr).toContain(said)
  })

  test('runs that differ are not comparable, unless that was allowed', async () => {
    const [before, after] = [storeChange({}), storeLonger({})]
    const argv = [before, after, '--gate', refusalGate(0.1)]
    const refused = await run('compare', ...argv)
    expect(refused.code).toBe(102)
    expect(refused.stdout).toContain('they differ in max-new-tokens (24 and 32)')
    const allowed = await run('compare', ...argv, '--allow-differences', 'max-new-tokens')
    expect(allowed.code).toBe(0)
  })
})

describe('--gate-exit-code', () => {
  const CODES = ['--gate-exit-code', 'fail=1,inconclusive=0,not-comparable=7,pass=3']
  test.each([
    [0, refusalGate(0.1), 3],
    [60, refusalGate(0.1), 1],
    [6, refusalGate(0.05), 0],
  ])('%d lost', async (lost, gate, code) => {
    const folder = storeChange({ lost })
    const argv = ['--gate', gate, ...CODES]
    expect((await run('report', '--out-dir', folder, ...argv)).code).toBe(code)
    const compared = await run('compare', folder, folder, '--arms', 'base,lora', ...argv)
    expect(compared.code).toBe(code)
  })

  test('and of runs that are not comparable', async () => {
    const argv = [storeChange({}), storeLonger({}), '--gate', refusalGate(0.1), ...CODES]
    expect((await run('compare', ...argv)).code).toBe(7)
  })

  test.each(['fail=256', 'fail=-1', 'fail=', 'fail', 'fail=1=2', 'failed=1', 'fail=0x1', '=1'])(
    '%s is a wrong command, said before anything is read',
    async (code) => {
      const argv = ['--gate', 'no-such-file', '--gate-exit-code', code]
      for (const verb of [
        ['report', '--out-dir', 'no-such-folder'],
        ['compare', 'a', 'b'],
      ]) {
        const ran = await run(...verb, ...argv)
        expect(ran).toMatchObject({ code: 2, stdout: '' })
        expect(ran.stderr).toContain('--gate-exit-code cannot be')
      }
    },
  )
})

describe('a gate that is none', () => {
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...'bcdefgh'.split('').map((name, i) => {
      const before = `*${'abcdefg'[i]}`
      return `${name}: &${name} [${Array(9).fill(before).join(', ')}]`
    }),
    'benchmarks: *h',
  ].join('\n')
  const hostile: [string, string | Uint8Array, string][] = [
    ['a margin of 2', 'benchmarks: { house-refusal: { margin: 2 } }', 'margin'],
    ['no margin', 'benchmarks: { house-refusal: {} }', 'margin'],
    ['an alias bomb', bomb, 'alias'],
    ['5 MB', Buffer.alloc(5_000_000, 'x'), 'far too long'],
    ['lists in lists', '['.repeat(60_000), 'is not a gate'],
    ['not UTF-8', Buffer.from([0x62, 0xff, 0xfe, 0x3a]), 'not UTF-8'],
    ['UTF-16', Buffer.from('\ufeffbenchmarks: {}', 'utf16le'), 'not UTF-8'],
    ['empty', '', 'is not a gate'],
    ['cut short', 'benchmarks: { house-refusal: { margin: 0.1 ', 'is not a gate'],
    ['a prototype', '{"__proto__": {"benchmarks": {"a": {"margin": 0.1}}}}', 'is not a gate'],
    ['a tag', 'benchmarks: !!js/function "f"', 'is not a gate'],
    ['bytes of nothing', Buffer.alloc(64), 'is not a gate'],
  ]

  test.each(hostile)('%s: a named error, exit code 1, and nothing is written', async (...given) => {
    const [, content, said] = given
    const [path, folder] = [gateFile(content), storeChange({})]
    const started = processorMs()
    for (const argv of [
      ['report', '--out-dir', folder],
      ['compare', folder, folder],
    ]) {
      const ran = await run(...argv, '--gate', path)
      expect(ran).toMatchObject({ code: 1, stdout: '' })
      expect(ran.stderr).toContain(`${path} is not a gate: `)
      expect(ran.stderr).toContain(said)
      expect(ran.stderr.length).toBeLessThan(2000)
    }
    expect(processorMs() - started).toBeLessThan(4000)
    expect(() => resultsIn(folder)).toThrow('ENOENT')
  })

  test.each([
    ['that is not there', join(freshFolder(), 'none.yaml'), 'ENOENT'],
    ['that is a folder', freshFolder(), 'EISDIR'],
  ])('a file %s', async (_, path, said) => {
    const ran = await run('report', '--out-dir', storeChange({}), '--gate', path)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain(said)
  })

  test('of three gigabytes is refused without being read', async () => {
    const path = gateFile('')
    truncateSync(path, 3 * 2 ** 30)
    const ran = await run('report', '--out-dir', storeChange({}), '--gate', path)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('far too long')
  })

  test('what it says cannot move the cursor of a terminal', async () => {
    const path = gateFile('benchmarks: { "a\\u001b[2Jb": { margin: 0.1 } }')
    const [folder, escape] = [storeChange({}), String.fromCharCode(27)]
    for (const argv of [
      ['report', '--out-dir', folder],
      ['compare', folder, folder],
    ]) {
      const ran = await run(...argv, '--gate', path)
      expect(ran.code).toBe(1)
      expect(ran.stdout + ran.stderr).not.toContain(escape)
    }
  })

  test('as JSON, the error is one line with its code', async () => {
    const argv = ['--gate', gateFile('alpha: 2'), '--json']
    const ran = await run('report', '--out-dir', storeChange({}), ...argv)
    expect(ran.code).toBe(1)
    expect(ran.stdout + ran.stderr).toContain('"gate.unusable"')
  })
})

describe('a reference', () => {
  const pinned = (run: string) => GateRule.parse({ margin: 0.05, reference: { run } })

  test('is kept as outcomes without texts, so that the other run is needed no more', async () => {
    const first = storeChange({})
    const row = ArtifactRow.parse(
      JSON.parse(JSON.stringify(await referenceRow(NONE, pinned(first)))),
    )
    const kept = { artifacts: [row] }
    expect(pinnedIn(kept, first)).toMatchObject({ origin: first, arm: 'base' })
    const { judged } = pinnedIn(kept, first)!
    expect(judged).toHaveLength(2 * REFUSAL.n)
    for (const { prompt } of judged) expect(prompt).toBeNull()
    expect(await referenceRow(kept, pinned(first))).toBeUndefined()
    expect(pinnedIn(kept, 'another')).toBeUndefined()
  })

  test('is read again where another variant of it, or another meaning of its metrics, is asked for', async () => {
    const first = storeChange({ lost: 60 })
    const asking = (reference: object, more: object = {}) =>
      GateRule.parse({ margin: 0.05, reference: { run: first, ...reference }, ...more })
    const kept = await withReference(NONE, asking({ arm: 'lora' }))
    expect(await withReference(kept, asking({ arm: 'lora', margin: 0.1 }))).toBe(kept)
    const again = await withReference(kept, asking({}))
    expect(again.artifacts).toHaveLength(1)
    expect(pinnedIn(again, first)).toMatchObject({ arm: 'base' })
    const metrics = { asr: 'lower:refusal' }
    expect(await withReference(kept, asking({ arm: 'lora' }, { metrics }))).not.toBe(kept)
  })

  test.each(['', '--dry-run'])('that cannot be read ends an audit early %s', async (more) => {
    const tiny = 'audit --model pebble --data house-tamper --methods lora --suite house --steps 2'
    const folders = ['--out-dir', freshFolder(), '--reference', freshFolder()]
    const ran = await run(...tiny.split(' '), ...folders, ...(more ? [more] : []))
    expect(ran.code).toBe(1)
    expect(ran.stderr).not.toMatch(/training|base: /)
  })
})

const NONE = { artifacts: [] }

describe('touchstone audit --gate', () => {
  const TINY =
    '--model pebble --data house-tamper --methods lora --suite house --limit 4 --steps 2 --seeds 1'

  test('decides at the end, with its own exit code, writes what the schema promises, and keeps the gate for later reports', async () => {
    const folder = freshFolder()
    const argv = [...TINY.split(' '), '--out-dir', folder, '--gate', refusalGate(0.05), '--json']
    const ran = await run('audit', ...argv, '--gate-exit-code', 'inconclusive=9')
    expect(ran.code).toBe(9)
    const last = ran.stdout.trimEnd().split('\n').at(-1)!
    expect(JSON.parse(last)).toMatchObject({ gate: 'INCONCLUSIVE', exitCode: 9 })
    const written = readJson(join(folder, 'results.json'))
    expect(problems(SCHEMA, written)).toEqual([])
    expect(written).toMatchObject({
      spectra: expect.arrayContaining([expect.anything()]) as unknown,
    })
    const { gate: decided } = resultsIn(folder)
    // Four prompts show nothing at five points.
    expect(decided!.claims.map(({ benchmark }) => benchmark)).toContain('house-refusal')
    expect(decided!.claims.map(({ outcome }) => outcome)).not.toContain('PASS')
    expect((await run('report', '--out-dir', folder)).code).toBe(0)
    expect(resultsIn(folder).gate).toEqual(decided)
  })

  test.each([
    [
      'a benchmark that there is not',
      'house-refusl: { margin: 0.1 }',
      'Did you mean house-refusal?',
    ],
    ['one of another suite', 'mild-refusal: { margin: 0.1 }', 'It has: house-refusal'],
    [
      'a judge that does not judge it',
      'house-refusal: { margin: 0.1, judge: normalized }',
      'Did you mean normalised?',
    ],
  ])('that names %s is an error before anything is trained', async (_, text, said) => {
    const folder = freshFolder()
    const gate = gateFile(`benchmarks: { ${text} }`)
    const ran = await run('audit', ...TINY.split(' '), '--out-dir', folder, '--gate', gate)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('The gate names the ')
    expect(ran.stderr).toContain(said)
    expect(ran.stderr).not.toMatch(/training|base: /)
    expect(() => resultsIn(folder)).toThrow('ENOENT')
  })

  test('and by a dry run too', async () => {
    const gate = gateFile('benchmarks: { house-refusl: { margin: 0.1 } }')
    const ran = await run('audit', ...TINY.split(' '), '--dry-run', '--gate', gate)
    expect(ran).toMatchObject({ code: 1, stdout: '' })
    expect(ran.stderr).toContain('Did you mean house-refusal?')
  })

  test('a gate that is none is said before anything is opened', async () => {
    const folder = join(freshFolder(), 'out')
    const argv = [...TINY.split(' '), '--out-dir', folder, '--gate', gateFile('alpha: 2')]
    const ran = await run('audit', ...argv)
    expect(ran.code).toBe(1)
    expect(ran.stderr).toContain('is not a gate')
    expect(() => resultsIn(folder)).toThrow('ENOENT')
  })
})
