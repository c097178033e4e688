/** @file A GGUF in its blocks wherever a model is opened for replies: conversation, serving, a whole audit; each says what it says in float32. */
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { ROUNDED } from '../../../evals/contract/approximate.ts'
import { openTalkers } from '../../../evals/engine/talk.ts'
import { writeGgufModel } from '../../../evals/models/formats/gguf/write-gguf-model.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { modelPath } from '../../../evals/models/model-path.ts'
import { sourcesOf } from '../../../evals/models/model-sources.ts'
import { openServed } from '../../../evals/measure/serving/open-served.ts'
import { load } from '../../../evals/native/load.ts'
import { serveModels } from '../../../evals/hosts/model-server/server.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'
import { writeAdapter } from '../../doubles/models/random-adapter.ts'

const found = load()
const title = found.addon
  ? 'in blocks'
  : `in blocks (skipped: ${found.why}; npm run build:native, which needs a C++ compiler)`
const messages = [{ role: 'user', content: 'When is breakfast?' }] as const
const question = {
  ...{ messages: [...messages], maxNewTokens: 12, temperature: 0, seed: 0, isWithheld: false },
}
const PRECISIONS = ['fp32', 'blocks'] as const

test('a model behind an address keeps its weights as its server does', async () => {
  const asked = openTalkers('http://127.0.0.1:9/v1#hotel', null, { basePrecision: 'blocks' })
  await expect(asked).rejects.toThrow(/its server keeps the weights/u)
})

interface Said {
  readonly type: string
  readonly row?: Readonly<Record<string, unknown>>
  readonly headline?: string
  readonly gate?: string
}

/** Verdicts, replies and the decision of a run, and the digest of its base. */
function saidIn(stdout: string) {
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Said)
  const rows = (type: string) => all.filter((each) => each.type === type).map(({ row }) => row!)
  const { headline, gate } = all.find(({ type }) => type === 'result')!
  return {
    verdicts: rows('verdict'),
    replies: rows('reply').map(({ arm, sampleId, text, tokens }) => [arm, sampleId, text, tokens]),
    decision: [headline, gate],
    digest: rows('subject').find(({ arm }) => arm === 'base')!['weightsDigest'],
  }
}

describe.skipIf(!found.addon)(title, () => {
  let path: string
  let adapter: string
  beforeAll(async () => {
    const from = modelPath('pebble')
    const folder = freshFolder()
    path = join(folder, 'pebble.gguf')
    const { open, model, weights } = await loadModel(from)
    await writeGgufModel(path, {
      ...{ path: from, sources: await sourcesOf(from), model, form: 'Q8_0', name: 'pebble' },
      read: (name) => weights.get(name)!,
      exception: null,
    })
    adapter = await writeAdapter(join(folder, 'adapter'), model, { seed: 1, rank: 4, size: 0.3 })
    await open.close()
  })

  test('a conversation, also with an adapter beside', async () => {
    const spoken = []
    for (const precision of PRECISIONS) {
      const talkers = await openTalkers(path, adapter, { basePrecision: precision })
      spoken.push([await talkers.base(question), await talkers.candidate!(question)])
      await talkers.close()
    }
    const [whole, inBlocks] = spoken
    for (const [i, { text, tokens }] of whole!.entries()) {
      expect(text).not.toBe('')
      expect(inBlocks![i]!.text).toBe(text)
      for (const [t, { logProb }] of tokens!.entries())
        expect(inBlocks![i]!.tokens![t]!.logProb).toBeCloseTo(logProb, 3)
    }
    const plain = openTalkers('pebble', null, { basePrecision: 'blocks' })
    await expect(plain).rejects.toMatchObject({ code: 'blocks.none' })
  })

  test('serving, the base and an adapter of one batch', async () => {
    const told: string[][] = []
    const memory: number[] = []
    for (const basePrecision of PRECISIONS) {
      const served = await openServed({
        ...{ model: path, baseName: 'base', device: { name: 'cpu', threads: 1 }, basePrecision },
        ...{ poolBytes: 2 ** 22, rows: 4, mostWaiting: 8, firstTokenMs: null },
        adapters: [{ name: 'tuned', path: adapter }],
      })
      const token = 'a token of this test'
      const server = await serveModels({ served, token, port: 0 })
      const answers = await Promise.all(
        ['base', 'tuned'].map(async (model) => {
          const response = await fetch(`${server.address}/chat/completions`, {
            method: 'POST',
            headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
            body: JSON.stringify({ model, messages, temperature: 0, max_tokens: 12 }),
          })
          return (await response.json()) as { choices: { message: { content: string } }[] }
        }),
      )
      told.push(answers.map(({ choices }) => choices[0]!.message.content))
      memory.push(served.memory.weights)
      await server.close()
      await served.close()
    }
    expect(told[1]).toEqual(told[0])
    expect(told[0]![0]).not.toBe(told[0]![1])
    expect(memory[1]! / memory[0]!).toBeLessThan(0.3)
  })

  test(
    'a whole audit with LoRA: the replies, verdicts and decision of float32; rounded to int8 it says so and is comparable with neither',
    { timeout: 240_000 },
    async () => {
      const audited = async (precision: string) => {
        const folder = freshFolder()
        const how = [
          '--data',
          'house-benign',
          '--methods',
          'lora',
          '--steps',
          '4',
          '--threads',
          '1',
        ]
        const asked = ['--suite', 'house', '--limit', '6', '--max-new-tokens', '8', '--no-spectra']
        const words = ['audit', '--model', path, ...how, ...asked, '--base-precision', precision]
        const { code, stdout, stderr } = await runCommand(
          [...words, '--no-cache', '--out-dir', folder, '--json'],
          {},
          COMMANDS,
        )
        expect([0, 100, 101], stderr).toContain(code)
        return { ...saidIn(stdout), stdout }
      }
      const [whole, inBlocks, rounded] = [
        await audited('fp32'),
        await audited('blocks'),
        await audited('blocks-int8'),
      ]
      expect(whole.verdicts.length).toBeGreaterThan(30)
      expect(inBlocks.verdicts).toEqual(whole.verdicts)
      expect(inBlocks.replies).toEqual(whole.replies)
      expect(inBlocks.decision).toEqual(whole.decision)
      expect(inBlocks.digest).toBe(whole.digest)
      expect(inBlocks.stdout).not.toContain(ROUNDED)
      expect(rounded.stdout).toContain(ROUNDED)
      expect(rounded.digest).not.toBe(whole.digest)
    },
  )
})
