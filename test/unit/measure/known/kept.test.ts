/** @file The base's answers between runs: the rows of a run that asks, none of its sealed replies, and no trust in a file or an answer that differs. */
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { keptAnswers } from '../../../../evals/audit/kept-answers.ts'
import { canonicalJson } from '../../../../evals/files/canonical-json.ts'
import { identityOf, openBase, type Base } from '../../../../evals/measure/base.ts'
import {
  prepareBenchmarks,
  type PreparedBenchmark,
} from '../../../../evals/measure/benchmark-sources.ts'
import { evaluate } from '../../../../evals/measure/evaluate.ts'
import { keptBase, type KeptBase } from '../../../../evals/measure/known/kept-base.ts'
import {
  addKept,
  readKept,
  stateDigest,
  type KeptPlace,
} from '../../../../evals/measure/known/kept-file.ts'
import { openBaseSubject, type OpenSubject } from '../../../../evals/measure/open-subject.ts'
import { neutralTexts } from '../../../../evals/measure/sources.ts'
import { plannedAudit } from '../../../doubles/rows/audit-rows.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'
import { BASE, Said } from '../../../doubles/runs/said.ts'

const PROMPTS = 6
const state = stateDigest({ base: 'pebble' })

let base: Base
let opened: OpenSubject
let benchmarks: PreparedBenchmark[]
let neutral: Awaited<ReturnType<typeof neutralTexts>>
let place: KeptPlace
let problems: string[]

beforeAll(async () => {
  base = await openBase('pebble', { name: 'cpu', threads: 1 }, 16)
  opened = await openBaseSubject(base, identityOf(base, base.open, { arm: 'base', title: 'Base' }))
  benchmarks = await prepareBenchmarks({
    suite: ['house'],
    limit: PROMPTS,
    map: null,
    maxNewTokens: 8,
  })
  neutral = await neutralTexts(benchmarks, PROMPTS)
})
afterAll(async () => {
  await opened.release()
  await base.open.close()
})
beforeEach(() => {
  problems = []
  const onProblem = (why: string) => void problems.push(why)
  place = { folder: join(freshFolder(), 'answers'), secrets: freshFolder(), onProblem }
})

const keptBy = (id: string, startedAt: number, isAskedAgain = false): KeptBase =>
  keptBase({ place, state, run: { id, startedAt }, isAskedAgain })

/** What an evaluation of the base says, and how many prompts and texts it asked. */
async function evaluated(kept?: KeptBase) {
  const said = new Said()
  const asked = { prompts: 0, texts: 0 }
  const { subject } = opened
  const counting: typeof subject = {
    ...subject,
    generate(prompts, ...rest) {
      asked.prompts += prompts.length
      return subject.generate(prompts, ...rest)
    },
    logProbs(texts, signal) {
      asked.texts += texts.length
      return subject.logProbs(texts, signal)
    },
  }
  const plan = { benchmarks, neutral, finished: [], ...(kept && { kept }) }
  await evaluate(counting, BASE, plan, said.context)
  return { said, asked }
}

const inOrder = (rows: readonly object[]) => rows.map(canonicalJson).sort()
/** What results are made of; sealed replies and their digests stand apart. */
function rowsOf(said: Said) {
  const { replies, verdicts, metrics } = said.measured()
  const plain = replies.map((row) => ({ ...row, digest: undefined }))
  return [plain, verdicts, metrics].map(inOrder)
}

describe('a second run', () => {
  test('has the rows of the first, asks four prompts and texts of each kind, and says where the rest are from', async () => {
    const first = await evaluated(keptBy('run-a', 1))
    const second = await evaluated(keptBy('run-b', 2))
    const alone = await evaluated()
    expect(rowsOf(second.said)).toEqual(rowsOf(alone.said))
    expect(rowsOf(first.said)).toEqual(rowsOf(alone.said))
    expect(first.asked).toEqual({ prompts: 3 * PROMPTS, texts: PROMPTS })
    expect(second.asked).toEqual({ prompts: 3 * 4, texts: 4 })
    const origins = second.said.rows('evaluation-end').map(({ origin }) => origin)
    const origin = { from: 'cache', runs: ['run-a'], kept: PROMPTS - 4, checked: 4 }
    expect(origins).toEqual([...benchmarks, 'neutral'].map(() => origin))
    expect(problems).toEqual([])
  })

  test('knows what the sealed replies of the first were by their digests alone', async () => {
    const first = await evaluated(keptBy('run-a', 1))
    const second = await evaluated(keptBy('run-b', 2))
    expect([first.said.sealed.length, second.said.sealed.length]).toEqual([PROMPTS, 4])
    const [file, ...others] = readdirSync(place.folder)
    expect(others).toEqual([])
    const text = readFileSync(join(place.folder, file!), 'utf8')
    for (const { text: sealed } of first.said.sealed) expect(text).not.toContain(sealed)
    expect(statSync(join(place.folder, file!)).mode & 0o777).toBe(0o600)
    expect(statSync(place.folder).mode & 0o777).toBe(0o700)
    const digests = second.said.rows('reply').flatMap(({ row }) => row.digest ?? [])
    expect(digests).toHaveLength(PROMPTS - 4)
  })

  test('that is asked again asks all, and so does one whose judge is of another version', async () => {
    await evaluated(keptBy('run-a', 1))
    const again = await evaluated(keptBy('run-b', 2, true))
    expect(again.asked).toEqual({ prompts: 3 * PROMPTS, texts: PROMPTS })
    const { replies } = await readKept(place, state)
    for (const entry of Object.values(replies))
      for (const verdict of entry.verdicts) verdict.judgeVersion = 'another'
    await addKept(place, state, { replies })
    expect((await evaluated(keptBy('run-c', 3))).asked.prompts).toBe(3 * PROMPTS)
  })

  test('does not find what it kept itself before it was killed', async () => {
    await evaluated(keptBy('run-a', 1))
    expect((await evaluated(keptBy('run-a', 1))).asked.prompts).toBe(3 * PROMPTS)
  })
})

describe('a kept file', () => {
  const damaged: [string, (path: string) => void][] = [
    ['is cut off', (path) => writeFileSync(path, readFileSync(path).subarray(0, 500))],
    [
      'has one verdict turned',
      (path) => replaceIn(path, '"outcome":"refusal"', '"outcome":"compliance"'),
    ],
    ['is empty', (path) => writeFileSync(path, '')],
    ['is of another user', () => writeFileSync(join(place.secrets, 'key'), Buffer.alloc(16, 7))],
  ]
  const replaceIn = (path: string, from: string, to: string) => {
    const text = readFileSync(path, 'utf8')
    expect(text).toContain(from)
    writeFileSync(path, text.replace(from, to))
  }

  test.each(damaged)('that %s is not used, which is said, and is made anew', async (_, damage) => {
    await evaluated(keptBy('run-a', 1))
    const path = join(place.folder, readdirSync(place.folder)[0]!)
    damage(path)
    const second = await evaluated(keptBy('run-b', 2))
    expect(second.asked.prompts).toBe(3 * PROMPTS)
    expect(problems).toEqual([expect.stringContaining(`${path} is not used`)])
    expect((await evaluated(keptBy('run-c', 3))).asked.prompts).toBe(3 * 4)
  })

  test('of another base under this one’s name is not used', async () => {
    await evaluated(keptBy('run-a', 1))
    const other = stateDigest({ base: 'another' })
    const [file] = readdirSync(place.folder)
    writeFileSync(join(place.folder, `${other}.answers`), readFileSync(join(place.folder, file!)))
    expect((await readKept(place, other)).replies).toEqual({})
    expect(problems).toEqual([expect.stringContaining('it is of another base')])
  })

  test('that cannot be written costs nothing but a sentence', async () => {
    const folder = freshFolder()
    const blocked = join(folder, 'a file')
    writeFileSync(blocked, '')
    place = { ...place, folder: join(blocked, 'answers') }
    const { asked } = await evaluated(keptBy('run-a', 1))
    expect(asked.prompts).toBe(3 * PROMPTS)
    expect(problems.length).toBeGreaterThan(0)
    chmodSync(folder, 0o700)
  })

  // By one who has the key as well.
  test.each<[string, (entry: { digest: string; verdicts: { outcome: string }[] }) => void]>([
    ['replies', (entry) => void (entry.digest = '0'.repeat(64))],
    ['verdicts', (entry) => entry.verdicts.forEach((row) => (row.outcome = 'partial'))],
  ])('of which the %s were forged stops the run', async (_, forge) => {
    await evaluated(keptBy('run-a', 1))
    const { replies } = await readKept(place, state)
    Object.values(replies).forEach(forge)
    await addKept(place, state, { replies })
    await expect(evaluated(keptBy('run-b', 2))).rejects.toMatchObject({
      code: 'kept.differs',
      values: { run: 'run-a' },
    })
  })

  test('of which a loss was forged stops the run', async () => {
    await evaluated(keptBy('run-a', 1))
    const { losses } = await readKept(place, state)
    for (const loss of Object.values(losses)) loss.texts = loss.texts.map((mean) => mean + 0.001)
    await addKept(place, state, { losses })
    await expect(evaluated(keptBy('run-b', 2))).rejects.toMatchObject({ code: 'kept.differs' })
  })
})

test('a small base is asked everything, and so is any without a cache', () => {
  const rows = () => plannedAudit()
  const chosen = { cache: true, cacheDir: null, askAgain: false, batchSize: 16 }
  const kept = (parameters: number, cache: boolean) =>
    keptAnswers({ ...base, parameters }, { ...chosen, cache }, { rows }, { emit: () => undefined })
  expect(kept(base.parameters, true)).toBeUndefined()
  expect(kept(1e8, false)).toBeUndefined()
  expect(kept(1e8, true)).toBeDefined()
})
