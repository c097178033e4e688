/**
 * @file The real inspect_ai opens our logs, and logs of the real inspect_ai and lm-evaluation-harness are read and paired.
 * Set TOUCHSTONE_PYTHON to a Python with both: `pip install inspect-ai lm-eval`.
 */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ComparedRun } from '../../evals/findings/gate/compared-run.ts'
import { FORMATS } from '../../evals/interchange/formats.ts'
import { importRuns } from '../../evals/interchange/import.ts'
import { measurementsOf, successOf, WITHHELD } from '../../evals/interchange/measured.ts'
import { freshFolder } from '../doubles/runs/command-line.ts'
import { askedOften } from '../doubles/rows/audit-rows.ts'
import { smallAudit } from '../doubles/runs/stored-audit.ts'
import { oraclePython } from './smollm2.ts'

const FIND = 'import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, sys.argv[1:])))'
const has = (...modules: string[]) =>
  spawnSync(oraclePython(), ['-c', FIND, ...modules]).status === 0

function python(...args: string[]): string[] {
  const script = join(import.meta.dirname, 'interchange.py')
  const { status, stdout, stderr } = spawnSync(oraclePython(), [script, ...args], {
    encoding: 'utf8',
  })
  expect(status, stderr).toBe(0)
  return stdout.trim().split('\n')
}

const correct = ({ judged }: ComparedRun) =>
  judged.filter(({ outcome }) => outcome === 'correct').length

/** By sample: what both runs said of it. */
function paired(before: ComparedRun, after: ComparedRun): [string, string][] {
  const keyOf = ({ judge, sampleId, epoch }: ComparedRun['judged'][number]) =>
    [judge, sampleId, epoch].join(' ')
  const was = new Map(before.judged.map((row) => [keyOf(row), row.outcome]))
  return after.judged.flatMap((row) => {
    const outcome = was.get(keyOf(row))
    return outcome === undefined ? [] : [[outcome, row.outcome]]
  })
}

const inspect = has('inspect_ai')
const inspectTitle = inspect ? 'inspect_ai' : 'inspect_ai (needs pip install inspect-ai)'

describe.skipIf(!inspect)(inspectTitle, { timeout: 300_000 }, () => {
  test.each([
    ['asked once', smallAudit()],
    ['asked three times', askedOften(smallAudit(), 3)],
  ])(
    'opens every log that we write, and reads our rates and outcomes in it: %s',
    async (_, rows) => {
      const folder = freshFolder()
      const exported = await FORMATS[0]!.write(rows, {} as never)
      const files = exported.map(({ name, parts }) => {
        const path = join(folder, `run${name}`)
        writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part))))
        return path
      })
      const read = python('read', ...files).map((line) => JSON.parse(line) as Read)
      const measurements = measurementsOf(rows)
      expect(read).toHaveLength(measurements.length)
      for (const [index, { subject, benchmark, replies }] of measurements.entries()) {
        const successes = replies.map(({ outcome }) => successOf(benchmark.role, outcome))
        const scored = successes.filter((success) => success !== null)
        const rate = scored.filter(Boolean).length / scored.length
        const found = read[index]!
        expect(found).toMatchObject({
          status: 'success',
          task: benchmark.name,
          samples: replies.length,
        })
        expect(found.model).toBe(`touchstone/${subject.arm}-s${subject.seed}-${subject.step}`)
        expect([found.summaries, found.scored]).toEqual([replies.length, scored.length])
        expect(found.unscored).toBe(replies.length - scored.length)
        expect(Object.values(found.metrics)[0]).toBeCloseTo(rate, 12)
        if (benchmark.role === 'refusal') expect(found.last).toBe(WITHHELD)
      }
    },
  )

  test('writes logs that we read: zstd, texts in attachments', async () => {
    const [before, after] = python('inspect', freshFolder()).slice(-2)
    const [[was], [is]] = [await importRuns(before!), await importRuns(after!)]
    expect([correct(was!), correct(is!)]).toEqual([9, 4])
    const pairs = paired(was!, is!)
    expect(pairs).toHaveLength(12)
    expect(pairs.filter(([a, b]) => a === 'correct' && b === 'incorrect')).toHaveLength(5)
    const prompts = new Map(was!.judged.map(({ sampleId, prompt }) => [sampleId, prompt]))
    expect(prompts.get('1')).toMatch(/^Be brief\. y{300}\nWhere is room 1\? x{300}$/)
    expect(prompts.get('0')).toMatch(/^Where is room 0\? x{300}$/)
  })
})

interface Read {
  status: string
  task: string
  model: string
  samples: number
  summaries: number
  last: string
  metrics: Readonly<Record<string, number>>
  scored: number
  unscored: number
}

const lmEval = has('lm_eval', 'datasets')
const lmEvalTitle = lmEval ? 'lm-eval' : 'lm-eval (needs pip install lm-eval)'

describe.skipIf(!lmEval)(lmEvalTitle, { timeout: 300_000 }, () => {
  test('writes results that we read, paired by doc_hash, with its own accuracy', async () => {
    const lines = python('lm-eval', freshFolder()).slice(-2)
    const found = lines.map((line) => JSON.parse(line) as [string, number])
    const runs = await Promise.all(found.map(([folder]) => importRuns(folder)))
    const [before, after] = runs.map(([run]) => run!)
    for (const [index, run] of [before!, after!].entries()) {
      expect(run.format).toBe('lm-eval')
      expect(correct(run) / run.judged.length).toBe(found[index]![1])
      expect(run.judged.every(({ sampleId }) => /^[0-9a-f]{64}$/.test(sampleId))).toBe(true)
    }
    expect(paired(before!, after!)).toHaveLength(20)
    expect(before!.benchmarks).toEqual(after!.benchmarks)
    expect(before!.benchmarks[0]!.promptSetDigest).toMatch(/^[0-9a-f]{64}$/)
  })
})

const eee = has('every_eval_ever', 'jsonschema')
const eeeTitle = eee
  ? 'Every Eval Ever'
  : 'Every Eval Ever (needs pip install every-eval-ever jsonschema)'

describe.skipIf(!eee)(eeeTitle, { timeout: 60_000 }, () => {
  test('has nothing to object to in our logs and their samples, by its own schemas', async () => {
    const folder = freshFolder()
    const format = FORMATS.find(({ name }) => name === 'eee')!
    const files = (await format.write(smallAudit(), {} as never)).map(({ name, parts }) => {
      const path = join(folder, `run${name}`)
      writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part))))
      return path
    })
    expect(python('eee', ...files)).toEqual([`checked ${files.length}`])
  })
})
