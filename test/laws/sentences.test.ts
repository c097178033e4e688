/**
 * @file The law of sentences: they are for people. A job with mitigations, kept weights, an unblinding and an override is replayed
 * with every sentence in its events replaced by `x`, and everything that is decided or computed from it stays the same.
 */
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { retentionByArm } from '../../evals/arms/retention.ts'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import type { JobEvent } from '../../evals/contract/events.ts'
import { resultHandlers } from '../../evals/engine/handlers/results.ts'
import { listHandlers } from '../../evals/engine/handlers/run-list.ts'
import { openHome } from '../../evals/engine/home.ts'
import type { Results } from '../../evals/contract/results.ts'
import { buildResults } from '../../evals/findings/results.ts'
import { exceptionOf } from '../../evals/runs/kept-exception.ts'
import { keptWeights } from '../../evals/runs/kept-weights.ts'
import { openStore, type Store } from '../../evals/runs/store/store.ts'
import { freshFolder, runCommand } from '../doubles/runs/command-line.ts'
import { alone } from '../doubles/runs/evaluated.ts'

/** Fields that hold a sentence or a label, wherever they stand. */
const SENTENCES = new Set(
  'message title command phase reason reasonToDelete reasonToKeep remedy headline sentence refused what cost notes limits'.split(
    ' ',
  ),
)

/** The value with every sentence replaced; a configuration is data. */
function blanked<T>(value: T): T {
  if (Array.isArray(value)) return value.map((each) => blanked<unknown>(each)) as T
  if (typeof value !== 'object' || value === null) return value
  // A benchmark's role is data, an artifact's is a label; why a reply is degenerate is a rule's name.
  const isLabel = (key: string) =>
    key === 'role'
      ? 'bytes' in value
      : SENTENCES.has(key) && !('outcome' in value && value.outcome === 'degenerate')
  const fields = value as Readonly<Record<string, unknown>>
  const entries = Object.entries(fields).map(([key, inner]): [string, unknown] => {
    if (!isLabel(key)) return [key, key === 'config' ? inner : blanked(inner)]
    if (Array.isArray(inner)) return [key, inner.map(() => 'x')]
    return [key, typeof inner === 'string' ? 'x' : inner]
  })
  return Object.fromEntries(entries) as T
}

const out = freshFolder()
const again = freshFolder()
let store: Store
let replayed: Store
let runId: string

const run = async (...argv: string[]) => {
  const { code, stderr } = await runCommand(argv, {}, COMMANDS)
  expect(code, stderr).not.toBe(1)
  expect(code, stderr).not.toBe(2)
}

beforeAll(async () => {
  const pebble = '--model pebble --suite house-refusal,house-capability --limit 2 --threads 1'
  const common = [...pebble.split(' '), '--no-cache', '--quiet', '--out-dir', out]
  const training = '--data house-tamper --methods lora --steps 2 --eval-every 2 --rank 2'
  const strong = '--learning-rate 0.05 --warmup-steps 0 --intruder-epsilon 0.9 --mitigate 0.5'
  const spectra = '--spectrum-detail leading --keep-weights'
  const trained = [training, strong, spectra].join(' ').split(' ')
  await run('eval', ...common, '--samples', '2', '--temperature', '0.5')
  await run('audit', ...common, ...trained, 'needed for the record')
  store = openStore(join(out, 'touchstone.db'))
  const [before, after] = store.runs().map(({ id }) => id)
  runId = after!
  const secret = join(freshFolder(), 'sealed.jsonl')
  await run('unblind', runId, '--out-dir', out, '--reason', 'A look at it', '-o', secret)
  const folders = [before!, after!]
  const differ = 'samples,temperature,seed'
  const compared = openHome(out)
  await resultHandlers(compared).compare({
    before: { runId: folders[0]!, arm: 'base' },
    after: { runId: folders[1]!, arm: 'base' },
    gate: null,
    allowDifferences: differ.split(',') as ('samples' | 'temperature' | 'seed')[],
  })
  compared.close()
  replayed = openStore(join(again, 'touchstone.db'))
  for (const event of store.events(runId)) replayed.sink.event(blanked<JobEvent>(event))
  store.sealed(runId).forEach((row) => replayed.sink.seal(row))
  replayed.sink.flush()
}, 120_000)

test('the job has what the law is about', () => {
  const types = new Set(store.events(runId).map(({ type }) => type))
  for (const type of ['weights-kept', 'unblinded', 'override', 'artifact', 'subject'] as const)
    expect(types).toContain(type)
  const results = buildResults(store.rows(runId))
  expect(results.mitigation).toHaveLength(4)
  expect(JSON.stringify(replayed.events(runId))).not.toContain('The weights of')
})

test('results and verdict', () => {
  const [one, two] = [store, replayed].map((each) => buildResults(each.rows(runId)))
  const byPath = ({ artifacts, ...rest }: Results) =>
    blanked({ ...rest, artifacts: artifacts.toSorted((a, b) => (a.path < b.path ? -1 : 1)) })
  expect(byPath(two!)).toEqual(byPath(one!))
  expect(two!.verdict.outcome).toBe(one!.verdict.outcome)
})

test('retention and the weights that were kept', async () => {
  const config = { data: 'house-tamper', keepWeights: null }
  const [one, two] = await Promise.all(
    [store, replayed].map(async (each) => {
      const progress = alone([], () => each.rows(runId))
      return (await retentionByArm(config, progress))('lora')
    }),
  )
  expect(two).toEqual(one)
  expect(two!.reasonToDelete).not.toBeNull()
  expect(replayed.weights(runId)).toEqual(store.weights(runId).map(blanked))
  const named = { run: replayed.run(runId)!, store: replayed, folder: again }
  await expect(keptWeights(named, null)).rejects.toMatchObject({ code: 'weights.need-reason' })
  await expect(keptWeights(named, 'for a colleague')).resolves.toHaveLength(3)
})

test('an export is refused by the replayed log as by the first', async () => {
  const arm = join(out, runId, 'arms', 'lora-seed0')
  expect(await exceptionOf(arm)).toMatchObject({ run: { id: runId, folder: out } })
})

test('the lists of the window', async () => {
  const listsOf = async (folder: string) => {
    const home = openHome(folder)
    const list = listHandlers(home).list({ isDeleted: false }) as {
      runId: string
      folder: string
    }[]
    const entry = { ...list.find((each) => each.runId === runId), folder: undefined }
    const summary = await resultHandlers(home).summary({ runId })
    const { pages } = home.store(folder)
    const states = [pages.states(runId), pages.spectrumStates(runId), pages.metrics(runId, [])]
    home.close()
    return blanked({ entry, summary, states })
  }
  const first = await listsOf(out)
  expect(first).toMatchObject({ summary: expect.objectContaining({}) as unknown })
  expect(await listsOf(again)).toEqual(first)
})
