/** @file Our own logs, read back: every format gives the outcomes of the rows that it was written from. */
import { unlike } from '../../doubles/rows/unlike.ts'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { buildResults } from '../../../evals/findings/results.ts'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type { Outcome, SubjectKey } from '../../../evals/contract/rows.ts'
import type { ComparedRun } from '../../../evals/findings/gate/compared-run.ts'
import { isBase } from '../../../evals/contract/keys.ts'
import { storedStates } from '../../../evals/findings/gate/stored-run.ts'
import { FORMATS, lmEvalFolders, type Exported } from '../../../evals/interchange/formats.ts'
import { importRuns, isForeignLog } from '../../../evals/interchange/import.ts'
import { pairedRows } from '../../../evals/interchange/paired-rows.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { askedOften } from '../../doubles/rows/audit-rows.ts'
import { smallAudit } from '../../doubles/runs/stored-audit.ts'

const rows = smallAudit()
const results = buildResults(rows)

function write(exported: readonly Exported[], stem: string): string[] {
  return exported.map(({ name, parts }) => {
    const path = `${stem}${name}`
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part))))
    return path
  })
}

const written = async (name: string) => {
  const format = FORMATS.find((each) => each.name === name)!
  return write(await format.write(rows, results), join(freshFolder(), 'run'))
}

/** By judge and sample, as the rows have it. */
function truth({ arm, seed, step }: SubjectKey, benchmark: string, judge?: string) {
  return rows.verdicts
    .filter((row) => row.arm === arm && row.seed === seed && row.step === step)
    .filter((row) => row.benchmark === benchmark && (judge ?? row.judge) === row.judge)
    .map((row): [string, Outcome] => [`${row.judge} ${row.sampleId}`, row.outcome])
    .sort()
}

const outcomesOf = ({ judged }: ComparedRun, benchmark: string) =>
  judged
    .filter((row) => row.benchmark === benchmark)
    .map((row): [string, Outcome] => [`${row.judge} ${row.sampleId}`, row.outcome])
    .sort()

describe('an Inspect log', () => {
  test('is read back with its state, its role and every outcome', async () => {
    const files = await written('inspect')
    expect(files).toHaveLength(9)
    for (const file of files) {
      const [run] = await importRuns(file)
      const [benchmark] = run!.benchmarks
      const planned = rows.benchmarks.find(({ name }) => name === benchmark!.name)!
      expect(benchmark).toMatchObject({
        role: planned.role,
        promptSetDigest: planned.digest,
        decoding: { maxNewTokens: planned.maxNewTokens, temperature: 0, seed: 0 },
      })
      expect(run).toMatchObject({ runId: rows.run.id, format: 'inspect' })
      // A judge that says only "undecided" writes no score; the first judge's is kept.
      expect(outcomesOf(run!, planned.name)).toEqual(truth(run!, planned.name))
    }
  })
})

describe('a folder of lm-eval', () => {
  test('is read back, its documents paired between two states', async () => {
    const folder = freshFolder()
    write(lmEvalFolders(rows), `${folder}/`)
    const [base] = await importRuns(join(folder, 'base-s0-0'))
    const [tuned] = await importRuns(join(folder, 'lora-s1-40'))
    expect(tuned!.benchmarks.map(({ name, role }) => [name, role])).toEqual(
      rows.benchmarks.map(({ name, role }) => [name, role]).sort(),
    )
    const subject = { arm: 'lora', seed: 1, step: 40 }
    for (const { name } of rows.benchmarks) {
      const expected = truth(subject, name, 'house').map(([, outcome]) => outcome)
      const found = outcomesOf(tuned!, name).map(([, outcome]) => outcome)
      expect(found.toSorted()).toEqual(expected.toSorted())
    }
    const idsOf = (run: ComparedRun) => new Set(run.judged.map((row) => row.sampleId))
    expect(idsOf(base!)).toEqual(idsOf(tuned!))
    expect(idsOf(base!).size).toBe(36)
  })

  test('its doc_hash is the digest of the document as Python writes it', () => {
    const sample = lmEvalFolders(rows).find(({ name }) => name.includes('samples_house-capability'))
    const [line] = String(sample!.parts[0]).split('\n')
    const { doc, doc_hash } = JSON.parse(line!) as { doc: object; doc_hash: string }
    expect(doc).toEqual({
      id: 'q000',
      category: 'keys',
      prompt: `Question 0: ${unlike(0, 5)}`,
      expected: 'answer',
      target: ['14'],
    })
    // python3: hashlib.sha256(json.dumps(doc, indent=2, ensure_ascii=False).encode()).hexdigest()
    expect(doc_hash).toBe('44722767314bf7823e93b7adb8feb94762989db621e8090584e372f89113db41')
  })
})

describe('a paired table', () => {
  test('is read back as a base and the states that were compared with it', async () => {
    const [file] = await written('csv')
    const runs = await importRuns(file!)
    expect(runs.map(({ arm, seed, step }) => [arm, seed, step])).toEqual([
      ['base', 0, 0],
      ['lora', 1, 40],
      ['lora', 2, 40],
    ])
    for (const run of runs) {
      for (const { name } of rows.benchmarks) {
        expect(outcomesOf(run, name)).toEqual(truth(run, name))
      }
    }
  })

  test('says what changed, in the benchmark’s own direction', () => {
    const changes = pairedRows(rows).filter((row) => row.judge === 'house' && row.seed === 1)
    const count = (benchmark: string, change: string) =>
      changes.filter((row) => row.benchmark === benchmark && row.change === change).length
    expect([count('house-refusal', 'lost'), count('house-refusal', 'gained')]).toEqual([9, 1])
    expect([count('house-lookalikes', 'lost'), count('house-lookalikes', 'gained')]).toEqual([1, 0])
    expect([count('house-capability', 'lost'), count('house-capability', 'gained')]).toEqual([1, 2])
    expect(count('house-capability', '')).toBe(1)
  })

  test('of a base alone holds the base, with nothing before it', () => {
    const alone = { ...rows, evaluations: rows.evaluations.filter(({ arm }) => arm === 'base') }
    const found = pairedRows(alone)
    expect(found).toHaveLength(14 * 2 + 10 + 12)
    expect(found.every(({ arm, before, change }) => arm === 'base' && !before && !change)).toBe(
      true,
    )
  })
})

describe('prompts that were asked several times', () => {
  const often = askedOften(rows, 3)
  const oftenResults = buildResults(often)
  const said = ({ arm, seed, step }: SubjectKey, benchmark: string) =>
    often.verdicts
      .filter((row) => row.arm === arm && row.seed === seed && row.step === step)
      .filter((row) => row.benchmark === benchmark && row.judge === 'house')
      .map(({ sampleId, epoch, outcome }) => [sampleId, epoch, outcome].join(' '))
      .sort()
  const read = ({ judged }: ComparedRun, benchmark: string) =>
    judged.filter((row) => row.benchmark === benchmark && row.judge === 'house')
  const rateOf = ({ arm, seed, step }: SubjectKey, benchmark: string) =>
    oftenResults.evaluations.find(
      (row) =>
        [row.arm, row.seed, row.step].join() === [arm, seed, step].join() &&
        row.benchmark === benchmark &&
        row.judge === 'house',
    )!.rate

  test('come back from Inspect reply by reply, drawn as they were', async () => {
    const format = FORMATS.find(({ name }) => name === 'inspect')!
    const files = write(await format.write(often, oftenResults), join(freshFolder(), 'run'))
    expect(files).toHaveLength(9)
    for (const file of files) {
      const [run] = await importRuns(file)
      const { name, decoding } = run!.benchmarks[0]!
      expect(decoding).toMatchObject({ temperature: 0.7, seed: 3 })
      const found = read(run!, name).map(({ sampleId, epoch, outcome }) =>
        [sampleId, epoch, outcome].join(' '),
      )
      // Also what the first judge could not decide: every verdict of ours stands in the samples.
      expect(found.sort()).toEqual(said(run!, name))
    }
  })

  test('come back from lm-eval, each document as often, its rate the mean over prompts', async () => {
    const folder = freshFolder()
    write(lmEvalFolders(often), `${folder}/`)
    const subject = { arm: 'lora', seed: 1, step: 40 }
    const path = join(folder, 'lora-s1-40')
    const [run] = await importRuns(path)
    for (const { name } of often.benchmarks) {
      const found = read(run!, name).map(({ epoch, outcome }) => [epoch, outcome].join(' '))
      const expected = said(subject, name).map((line) => line.split(' ').slice(1).join(' '))
      expect(found.sort()).toEqual(expected.sort())
      expect(run!.benchmarks.find((row) => row.name === name)!.decoding.temperature).toBe(0.7)
    }
    const results = lmEvalFolders(often).find(({ name }) => /lora-s1-40.results/.test(name))!
    const { results: scores } = JSON.parse(String(results.parts[0])) as {
      results: Record<string, Record<string, number>>
    }
    expect(scores['house-refusal']!['refusal_rate,none']).toBe(
      rateOf(subject, 'house-refusal').estimate,
    )
  })

  test('come back from the paired table', async () => {
    const format = FORMATS.find(({ name }) => name === 'csv')!
    const [file] = write(await format.write(often, oftenResults), join(freshFolder(), 'run'))
    for (const run of await importRuns(file!)) {
      for (const { name } of often.benchmarks) {
        const found = read(run, name).map(({ sampleId, epoch, outcome }) =>
          [sampleId, epoch, outcome].join(' '),
        )
        expect(found.sort()).toEqual(said(run, name))
      }
    }
  })

  test('are in Every Eval Ever with the interval that the results have', async () => {
    const format = FORMATS.find(({ name }) => name === 'eee')!
    const exported = await format.write(often, oftenResults)
    const log = exported.find(({ name }) => /lora-s1-40.*\.json$/.test(name))!
    const { evaluation_results } = JSON.parse(String(log.parts[0])) as {
      evaluation_results: {
        evaluation_name: string
        score_details: {
          score: number
          uncertainty: { confidence_interval: { lower: number; upper: number } }
        }
      }[]
    }
    const found = evaluation_results.find((row) => row.evaluation_name === 'house-refusal.house')!
    const { estimate, lower, upper } = rateOf({ arm: 'lora', seed: 1, step: 40 }, 'house-refusal')
    expect(found.score_details.score).toBe(estimate)
    expect(found.score_details.uncertainty.confidence_interval).toMatchObject({ lower, upper })
  })
})

describe('a log of Every Eval Ever', () => {
  const logs = async (of: AuditRows) => {
    const format = FORMATS.find(({ name }) => name === 'eee')!
    const files = write(await format.write(of, buildResults(of)), join(freshFolder(), 'run'))
    return files.filter((file) => file.endsWith('.eee.json'))
  }

  test.each([
    ['asked once', rows],
    ['asked three times', askedOften(rows, 3)],
  ])('is read back with its samples, its roles and every decided outcome: %s', async (_, of) => {
    const found = await logs(of)
    expect(found).toHaveLength(3)
    for (const [index, file] of found.entries()) {
      const [run] = await importRuns(file)
      const state = [
        { arm: 'base', seed: 0 },
        { arm: 'lora', seed: 1 },
        { arm: 'lora', seed: 2 },
      ][index]!
      expect(run!.arm).toContain(`touchstone/${state.arm}-s${state.seed}`)
      for (const planned of of.benchmarks) {
        const benchmark = run!.benchmarks.find(({ name }) => name === planned.name)
        expect(benchmark).toMatchObject({
          role: planned.role,
          promptSetDigest: planned.digest,
          decoding: { maxNewTokens: 24, temperature: planned.decoding?.temperature ?? 0 },
        })
        const lines = run!.judged
          .filter((row) => row.benchmark === planned.name)
          .map(({ judge, sampleId, epoch, outcome }) => [judge, sampleId, epoch, outcome].join(' '))
        const truth = of.verdicts
          .filter((row) => row.arm === state.arm && row.seed === state.seed)
          .filter((row) => row.benchmark === planned.name && row.outcome !== 'undecided')
          .map(({ judge, sampleId, epoch, outcome }) => [judge, sampleId, epoch, outcome].join(' '))
        expect(lines.sort()).toEqual(truth.sort())
      }
    }
  })

  test('whose samples are missing, changed by a byte, or of another result is refused', async () => {
    const [file] = await logs(rows)
    const samples = file!.replace('.json', '_samples.jsonl')
    const text = readFileSync(samples, 'utf8')
    const refused = async () => {
      await expect(importRuns(file!)).rejects.toThrow(
        expect.objectContaining({ code: 'interchange.malformed' }),
      )
    }
    writeFileSync(samples, text.replace('refusal', 'refusaL'))
    await refused()
    rmSync(samples)
    await refused()
    const log = JSON.parse(readFileSync(file!, 'utf8')) as Record<string, unknown>
    const unchecked = { ...log, detailed_evaluation_results: null }
    writeFileSync(file!, JSON.stringify(unchecked))
    for (const content of [
      text.replaceAll('house-refusal.house', 'another.result'),
      text.slice(0, 100),
      '[1]\n',
      `${text}${text.split('\n')[0]}\n`.repeat(2).slice(0, -3),
    ]) {
      writeFileSync(samples, content)
      await refused()
    }
    for (const content of ['', '{}', JSON.stringify({ ...unchecked, schema_version: '0.2.0' })]) {
      writeFileSync(file!, content)
      await refused()
    }
  })
})

describe('Every Eval Ever', () => {
  test('holds each rate with its interval, and no rate that is not known', async () => {
    const format = FORMATS.find(({ name }) => name === 'eee')!
    const written = await format.write(rows, results)
    const logs = written.filter(({ name }) => name.endsWith('.eee.json'))
    const parsed = logs.map(({ parts }) => JSON.parse(String(parts[0])) as Log)
    expect(parsed.map(({ schema_version }) => schema_version)).toEqual(['0.3.0', '0.3.0', '0.3.0'])
    const tuned = parsed.find(({ model_info }) => model_info.id === 'touchstone/lora-s1-40')!
    const { estimate, lower, upper } = results.evaluations.find(
      ({ arm, seed, benchmark, judge }) =>
        arm === 'lora' && seed === 1 && benchmark === 'house-refusal' && judge === 'house',
    )!.rate
    const found = tuned.evaluation_results.find(
      ({ evaluation_name }) => evaluation_name === 'house-refusal.house',
    )!
    expect(found.score_details).toMatchObject({
      score: estimate,
      uncertainty: { confidence_interval: { lower, upper }, num_samples: 14 },
    })
    const undecided = rows.verdicts.map((row) => ({ ...row, outcome: 'undecided' as const }))
    const [none] = await format.write({ ...rows, verdicts: undecided }, results)
    expect((JSON.parse(String(none!.parts[0])) as Log).evaluation_results).toEqual([])
  })
})

interface Log {
  schema_version: string
  model_info: { id: string }
  evaluation_results: { evaluation_name: string; score_details: object }[]
}

test('a path that is no log is known as none, and refused by name', async () => {
  const folder = freshFolder()
  expect(await isForeignLog(folder)).toBe(false)
  expect(await isForeignLog(join(folder, 'nothing.eval'))).toBe(false)
  await expect(importRuns(folder)).rejects.toThrow(/is no log that Touchstone can read/)
})

test.each(['inspect', 'lm-eval', 'eee'])(
  '%s: the base’s weights have the name that they have in the run, a training’s none',
  async (format) => {
    const folder = freshFolder()
    if (format === 'lm-eval') write(lmEvalFolders(rows), `${folder}/`)
    const paths =
      format === 'lm-eval'
        ? ['base-s0-0', 'lora-s1-40'].map((name) => join(folder, name))
        : (await written(format)).filter((path) => !path.endsWith('.jsonl'))
    const read = (await Promise.all(paths.map((path) => importRuns(path)))).flat()
    const base = storedStates(rows, '').find(isBase)!
    expect(base.weights).toBeDefined()
    expect(new Set(read.map(({ weights }) => weights))).toEqual(new Set([base.weights, undefined]))
  },
)
