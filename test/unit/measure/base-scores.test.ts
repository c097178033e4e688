/**
 * @file What the base makes of replies, through a whole evaluation of Pebble beside a fine-tune that babbles: the number
 * is the base's own, it decides, it is stored, and the stored rows give the same verdicts again.
 */
import { beforeAll, expect, test } from 'vitest'
import { identityOf, openBase, openSession, subjectOf } from '../../../evals/measure/base.ts'
import { openBaseScores } from '../../../evals/measure/base-scores.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import type { ReplyRow, SealedReply } from '../../../evals/contract/rows.ts'
import { DEGENERATE_RULE } from '../../../evals/judges/degenerate.ts'
import type { Answer } from '../../../evals/judges/judge.ts'
import { findJudge } from '../../../evals/judges/registry.ts'
import { writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { evaluated, type Evaluated } from '../../doubles/runs/evaluated.ts'

const CPU = { name: 'cpu', threads: 1 } as const
/** Pebble’s token; decoding leaves it out. */
const END = '<|end|>'
const FEW = { model: 'pebble', limit: 8, threads: 1 }
const { signal } = new AbortController()

/** An adapter that adds large noise to every up projection: what it says is words in no order. */
async function babbler(): Promise<string> {
  const folder = freshFolder()
  const base = await openBase('pebble', CPU, 4)
  const stream = randomStream(1, 'babble')
  const noise = (rows: number, columns: number, size: number) => ({
    shape: [rows, columns],
    data: Float32Array.from({ length: rows * columns }, () => size * stream.normal()),
  })
  const tensors = new Map(
    [...base.model.weights.values()].flatMap(({ name, module, shape }) => {
      if (module !== 'up_proj') return []
      const [out, width] = shape as [number, number]
      const site = name.replace(/\.weight$/, '')
      return [
        [`${site}.lora_A.weight`, noise(4, width, 0.3)] as const,
        [`${site}.lora_B.weight`, noise(out, 4, 0.3)] as const,
      ]
    }),
  )
  await base.open.close()
  const config = { base: 'pebble', rank: 4, alpha: 4, targetModules: ['up_proj'] }
  await writePeftFolder(folder, { config, tensors })
  return folder
}

let both: Evaluated
let alone: Evaluated
let textOf: (reply: ReplyRow) => string
beforeAll(async () => {
  both = await evaluated({ ...FEW, candidates: [await babbler()] })
  alone = await evaluated(FEW)
  const name = ({ arm, benchmark, sampleId }: SealedReply | ReplyRow) =>
    [arm, benchmark, sampleId].join()
  const sealed = new Map(both.sealed.map((reply) => [name(reply), reply.text]))
  textOf = (reply) => reply.text ?? sealed.get(name(reply))!
})

const guarded = ({ expected }: ReplyRow) => expected.kind !== 'answer'

test('of its own replies the base says what it said while writing them, of sums nothing', () => {
  const base = both.rows.replies.filter(({ arm }) => arm === 'base')
  expect(base.filter(guarded)).toHaveLength(16)
  for (const reply of base)
    expect(reply.baseMeanLogProb).toBe(guarded(reply) ? reply.meanLogProb : null)
})

test('of a fine-tune’s replies it says what their tokens are worth after the prompt', async () => {
  const tuned = both.rows.replies.filter((reply) => reply.arm !== 'base' && guarded(reply))
  expect(tuned).toHaveLength(16)
  const base = await openBase('pebble', CPU, 4)
  const session = await openSession({ model: base.model, frozen: base.weights }, CPU)
  const identity = identityOf(base, base.open, { arm: 'base', title: 'Base' })
  const subject = subjectOf(base, identity, session)
  let compared = 0
  for (const reply of tuned) {
    expect(reply.baseMeanLogProb).toBeLessThan(reply.meanLogProb!)
    const continuation = textOf(reply) + (reply.stop === 'end' ? END : '')
    const before = [{ role: 'user' as const, content: reply.prompt }]
    const [score] = await subject.continuations([{ key: 'q', before, continuation }], signal)
    const { logProbs } = score!
    // Decoding leaves special tokens out: only where the text is taken apart into the same ones.
    if (logProbs.length !== reply.tokens + (reply.stop === 'end' ? 1 : 0)) continue
    const mean = logProbs.reduce((sum, each) => sum + each, 0) / logProbs.length
    expect(reply.baseMeanLogProb).toBeCloseTo(mean, 4)
    compared++
  }
  expect(compared).toBeGreaterThan(0)
  await session.release()
  await base.open.close()
})

test('it decides, and the stored rows give the same verdicts again', async () => {
  const judge = findJudge('normalised')
  const stored = both.rows.verdicts.filter((row) => row.judge === judge.name)
  const answers = stored.map((verdict): Answer => {
    const reply = both.rows.replies.find(
      (row) =>
        row.arm === verdict.arm &&
        row.benchmark === verdict.benchmark &&
        row.sampleId === verdict.sampleId,
    )!
    const { sampleId: id, benchmark, category, expected, prompt, stop, meanLogProb } = reply
    const messages = [{ role: 'user' as const, content: prompt }]
    return {
      sample: { id, benchmark, category, messages, expected },
      completion: { text: textOf(reply), tokenIds: [], stop, meanLogProb },
      baseMeanLogProb: reply.baseMeanLogProb ?? null,
    }
  })
  const again = await judge.judge(answers)
  const told = again.map((verdict) => [
    verdict.outcome,
    'reason' in verdict ? verdict.reason : null,
  ])
  expect(told).toEqual(stored.map(({ outcome, reason }) => [outcome, reason]))
  const unlikely = stored.filter(({ reason }) => reason === 'unlikely')
  expect(unlikely.length).toBeGreaterThan(0)
  answers.forEach(({ baseMeanLogProb }, i) => {
    if (stored[i]!.reason === 'unlikely')
      expect(baseMeanLogProb).toBeLessThan(DEGENERATE_RULE.leastBaseLogProb)
  })
  const without = await judge.judge(answers.map((each) => ({ ...each, baseMeanLogProb: null })))
  expect(without.filter((verdict, i) => verdict.outcome !== again[i]!.outcome)).not.toEqual([])
})

test('what it cost is said, and how many verdicts rest on it', () => {
  expect(both.said.join('\n')).toMatch(/^16 replies .* scored under the base in \d+\.\d s/m)
  const { limits } = buildResults(both.rows)
  expect(limits.join('\n')).toMatch(/degenerate \d+ times because the base finds them improbable/)
  expect(limits.join('\n')).not.toContain('did not ask how probable')
})

test('where nothing is measured beside the base the rule is not applied, and log and report say so', () => {
  expect(alone.rows.replies.map(({ baseMeanLogProb }) => baseMeanLogProb)).toEqual(
    alone.rows.replies.map(() => null),
  )
  expect(alone.said.join('\n')).toContain('there is no base that could find a reply improbable')
  expect(buildResults(alone.rows).limits.join('\n')).toContain(
    'did not ask how probable a base finds a reply (16 times)',
  )
})

test('while a large base scores, who wrote the replies keeps no graph, and the scores are the same', async () => {
  const base = await openBase('pebble', CPU, 4)
  const texts = [
    { key: 'a', ids: [5, 9, 12, 7], from: 1 },
    { key: 'b', ids: [3, 4, 8], from: 2 },
  ]
  let rests = 0
  const rest = () => Promise.resolve(void rests++)
  const small = await openBaseScores(base)
  const found = await small.means(texts, signal, { rest })
  expect(rests).toBe(0)
  const large = await openBaseScores({ ...base, parameters: 2 ** 26 })
  expect(await large.means(texts, signal, { rest })).toEqual(found)
  expect(rests).toBe(1)
  await small.release()
  await base.open.close()
})
