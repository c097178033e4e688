/** @file Generation stops where it should, counts what it wrote, refuses what does not fit, and can be interrupted. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openCached, type CachedSession } from '../../../evals/inference/cached-graph.ts'
import { generate } from '../../../evals/inference/generate.ts'
import type {
  GeneratedTokens,
  GenerateOptions,
  TokenPrompt,
} from '../../../evals/inference/decoding.ts'
import { scoreTexts } from '../../../evals/inference/score.ts'
import { randomIds, tinyModel } from '../../doubles/models/tiny-model.ts'

const LIMIT = 24
const tiny = tinyModel({ seed: 3 })
let session: CachedSession
beforeAll(async () => {
  const state = { model: tiny.model, frozen: tiny.weights }
  session = await openCached(state, { name: 'cpu', threads: 1 }, LIMIT)
})
afterAll(() => session.release())

const greedy = { maxNewTokens: 8, temperature: 0, seed: 0 }
const defaults = () => ({
  session,
  varying: {},
  decoding: greedy,
  endIds: new Set<number>(),
  padId: 0,
  batchSize: 4,
  signal: new AbortController().signal,
})

async function ask(
  prompts: readonly TokenPrompt[],
  options: Partial<GenerateOptions> = {},
): Promise<GeneratedTokens[]> {
  const answers: GeneratedTokens[] = []
  for await (const batch of generate(prompts, { ...defaults(), ...options }))
    for (const each of batch) answers[each.index] = each
  return answers
}

const prompts = [5, 2, 9, 1].map((length, i) => ({
  key: `prompt ${i}`,
  ids: randomIds(`p${i}`, length, tiny.options.vocab),
}))

const score = async (ids: readonly number[], from: number) =>
  (await scoreTexts([{ key: 'text', ids, from }], defaults()))[0]!

const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length

describe('an end token', () => {
  test('stops the answer, is not part of it, and counts in the mean log-probability', async () => {
    const free = await ask(prompts)
    // Each prompt's own third token: where it first occurs in that answer, the answer ends.
    for (const [i, { tokenIds }] of free.entries()) {
      const end = tokenIds[2]!
      const [stopped] = await ask([prompts[i]!], { endIds: new Set([end]) })
      const expected = tokenIds.slice(0, tokenIds.indexOf(end))
      expect(stopped).toMatchObject({ stop: 'end', tokenIds: expected })
      const { ids } = prompts[i]!
      const logProbs = await score([...ids, ...expected, end], ids.length)
      expect(logProbs).toHaveLength(expected.length + 1)
      expect(stopped!.meanLogProb).toBeCloseTo(mean(logProbs), 5)
    }
  })

  test('at the very start leaves an empty answer with a finite log-probability', async () => {
    const [{ tokenIds } = { tokenIds: [] }] = await ask([prompts[0]!])
    const [empty] = await ask([prompts[0]!], { endIds: new Set([tokenIds[0]!]) })
    expect(empty).toMatchObject({ stop: 'end', tokenIds: [] })
    expect(empty!.meanLogProb).toBeLessThan(0)
    expect(Number.isFinite(empty!.meanLogProb)).toBe(true)
  })

  test('lets rows leave the batch one by one, and those that stay give the same bits as alone', async () => {
    const many = Array.from({ length: 16 }, (_, i) => ({
      key: `row ${i}`,
      ids: randomIds(`row ${i}`, 1 + ((i * 5) % 14), tiny.options.vocab),
    }))
    const free = await ask(many)
    // Ends that different rows meet at different steps: one from each step of some answer.
    const endIds = new Set(Array.from({ length: 7 }, (_, step) => free[2 * step]!.tokenIds[step]!))
    for (const temperature of [0, 1]) {
      const decoding = { ...greedy, temperature }
      const together = await ask(many, { endIds, decoding, batchSize: 16 })
      const lengths = new Set(together.map(({ tokenIds }) => tokenIds.length))
      expect(lengths.size).toBeGreaterThan(3)
      for (const [i, prompt] of many.entries()) {
        const [alone] = await ask([prompt], { endIds, decoding })
        expect(together[i]).toEqual({ ...alone, index: i })
      }
    }
  })

  test('of one row does not end its neighbours', async () => {
    const free = await ask(prompts)
    const end = free[1]!.tokenIds[0]!
    const answers = await ask(prompts, { endIds: new Set([end]) })
    answers.forEach(({ tokenIds, stop }, i) => {
      const at = free[i]!.tokenIds.indexOf(end)
      expect(tokenIds).toEqual(at < 0 ? free[i]!.tokenIds : free[i]!.tokenIds.slice(0, at))
      expect(stop).toBe(at < 0 ? 'length' : 'end')
    })
  })
})

test('an answer that runs into its limit has that many tokens and their mean log-probability', async () => {
  const answers = await ask(prompts)
  for (const [i, { tokenIds, stop, meanLogProb }] of answers.entries()) {
    expect(stop).toBe('length')
    expect(tokenIds).toHaveLength(greedy.maxNewTokens)
    const { ids } = prompts[i]!
    expect(meanLogProb).toBeCloseTo(mean(await score([...ids, ...tokenIds], ids.length)), 5)
  }
})

describe('sampling', () => {
  const many = Array.from({ length: 1500 }, (_, i) => ({ key: `draw ${i}`, ids: prompts[0]!.ids }))
  const sampled = (seed: number, temperature: number) =>
    ask(many, { decoding: { maxNewTokens: 1, temperature, seed }, batchSize: 500 })

  test.each([1, 0.5])('draws from softmax(logits/%f)', async (temperature) => {
    const vocab = tiny.options.vocab
    const plain = await Promise.all(
      Array.from({ length: vocab }, async (_, token) =>
        Number((await score([...prompts[0]!.ids, token], prompts[0]!.ids.length))[0]),
      ),
    )
    const powers = plain.map((logProb) => Math.exp(logProb / temperature))
    const total = powers.reduce((a, b) => a + b)
    const counts = new Array<number>(vocab).fill(0)
    for (const { tokenIds, meanLogProb } of await sampled(7, temperature)) {
      counts[tokenIds[0]!]!++
      expect(meanLogProb).toBeCloseTo(plain[tokenIds[0]!]!, 5)
    }
    counts.forEach((count, token) => {
      const p = powers[token]! / total
      const deviation = Math.sqrt(many.length * p * (1 - p))
      expect(Math.abs(count - many.length * p), `token ${token}`).toBeLessThan(4.5 * deviation + 1)
    })
  })

  test('follows the seed and the prompt’s key alone', async () => {
    const first = (await sampled(7, 1)).map(({ tokenIds }) => tokenIds[0])
    expect((await sampled(7, 1)).map(({ tokenIds }) => tokenIds[0])).toEqual(first)
    expect((await sampled(8, 1)).map(({ tokenIds }) => tokenIds[0])).not.toEqual(first)
    expect(new Set(first).size).toBeGreaterThan(5)
  })
})

describe('what does not fit', () => {
  const of = (length: number) => [{ key: 'the long one', ids: randomIds('l', length, 32) }]

  test('a prompt that leaves no room for its answer is refused by name, before anything runs', async () => {
    expect(await ask(of(LIMIT - 8))).toHaveLength(1)
    await expect(ask([...prompts, ...of(LIMIT - 7)])).rejects.toMatchObject({
      code: 'prompt.too-long',
      message: expect.stringContaining('the long one') as string,
    })
  })

  test('an odd prompt may fill the model to its last position', async () => {
    const decoding = { ...greedy, maxNewTokens: 1 }
    expect((await ask(of(LIMIT - 1), { decoding }))[0]!.tokenIds).toHaveLength(1)
  })

  test('an empty prompt is refused by name', async () => {
    await expect(ask(of(0))).rejects.toMatchObject({ code: 'prompt.too-long' })
  })

  test('a text to score may fill the model and end in one token more, which is only a label', async () => {
    const [text] = of(LIMIT + 1)
    expect(await score(text!.ids, 1)).toHaveLength(LIMIT)
    await expect(score(of(LIMIT + 2)[0]!.ids, 1)).rejects.toMatchObject({ code: 'prompt.too-long' })
  })

  test('texts without anything to score have no log-probabilities', async () => {
    const texts = [[], [3], [3, 4]].map((ids, i) => ({ key: String(i), ids, from: 1 }))
    expect((await scoreTexts(texts, defaults())).map(({ length }) => length)).toEqual([0, 0, 1])
    expect(await score([], 1)).toHaveLength(0)
    expect(await score([3], 1)).toHaveLength(0)
  })

  test('no prompts, no answers', async () => {
    expect(await ask([])).toEqual([])
    expect(await scoreTexts([], defaults())).toEqual([])
  })
})

describe('an abort', () => {
  /** Aborts when the session is asked for the `at`-th time. */
  function abortingAt(at: number) {
    const controller = new AbortController()
    let asked = 0
    const counting: CachedSession = {
      ...session,
      run(...args) {
        if (++asked === at) controller.abort(new Error('stopped by the user'))
        return session.run(...args)
      },
    }
    return { counting, signal: controller.signal, asked: () => asked }
  }

  test('stops between two tokens', async () => {
    const { counting, signal, asked } = abortingAt(3)
    await expect(ask(prompts, { session: counting, signal })).rejects.toThrow('stopped by the user')
    expect(asked()).toBe(3)
  })

  test('stops between two batches of scores', async () => {
    const { counting, signal, asked } = abortingAt(2)
    const texts = prompts.map((prompt) => ({ ...prompt, from: 1 }))
    const options = { ...defaults(), session: counting, signal, batchSize: 1 }
    await expect(scoreTexts(texts, options)).rejects.toThrow('stopped by the user')
    expect(asked()).toBe(2)
  })

  test('before the start runs nothing', async () => {
    const { counting, asked } = abortingAt(99)
    const signal = AbortSignal.abort(new Error('stopped by the user'))
    await expect(ask(prompts, { session: counting, signal })).rejects.toThrow('stopped by the user')
    expect(asked()).toBe(0)
  })
})
