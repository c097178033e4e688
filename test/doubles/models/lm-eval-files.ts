/**
 * @file What Touchstone and the real lm-evaluation-harness are both given: MMLU’s folder, HellaSwag’s file and a text, self-written
 * and about a hotel, and two tiny checkpoints. The same folder gives the same bytes.
 *
 *     node test/doubles/models/lm-eval-files.ts FOLDER
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeTinyCheckpoint } from './tiny-checkpoint.ts'

const SUBJECTS = ['hotel_kitchen', 'hotel_desk'] as const
/** Five solved questions before each make some prompts longer than this, so cutting is compared too. */
const POSITIONS = 828

const THINGS = ['towel', 'key', 'lamp', 'pool', 'lift', 'desk', 'garden', 'bell', 'chair', 'menu']
const PLACES = ['on the first floor', 'behind the desk', 'near the pool', 'in the garden']
const thing = (i: number) => THINGS[i % THINGS.length]!
const place = (i: number) => PLACES[i % PLACES.length]!

/** A question has a quote, a comma or a line break now and then, which CSV must keep. */
const question = (subject: string, i: number): readonly string[] => [
  `${i % 3 === 1 ? ' ' : ''}In the ${subject.split('_')[1]}, where is the "${thing(i)}"${i % 3 === 2 ? ',\nby day' : ''}? `,
  ...[0, 1, 2, 3].map((option) => `${place(i + option)}, ${thing(i + 3 * option)} ${option + i}`),
  'ABCD'[(3 * i + subject.length) % 4]!,
]

const csvLine = (cells: readonly string[]) =>
  `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\n`

const hellaSwag = (i: number) => ({
  ind: i,
  activity_label: `Making the ${thing(i)} ready`,
  ctx_a: `[header] How to tidy the ${thing(i)} [title] Look ${place(i)}.`,
  ctx_b: i % 2 === 0 ? `the GUEST  of Room ${i}` : '',
  endings: [0, 1, 2, 3].map(
    (ending) =>
      `${ending === 1 ? ' [step] ' : ''}takes the ${thing(i + ending)} ${place(i + ending)}${' and the towel'.repeat(ending)}.`,
  ),
  label: String((i * 7 + 1) % 4),
})

/** Lines, empty lines, spaces at their ends, and letters of several bytes. */
export const TEXT = Array.from({ length: 40 }, (_, i) =>
  i % 9 === 8
    ? '\n'
    : `The ${thing(i)} of room ${i} is ${place(i)}; the café – “${thing(i + 2)}” – opens at ${i % 12}.${i % 5 === 0 ? '  ' : ''}\n`,
).join('')

/** Returns the folder: `before` and `after` (checkpoints), `mmlu/{dev,test}`, `hellaswag_val.jsonl`, `text.txt`. */
export async function writeLmEvalFiles(folder: string): Promise<string> {
  for (const [name, seed] of [
    ['before', 7],
    ['after', 8],
  ] as const) {
    const path = await writeTinyCheckpoint(join(folder, name), {
      seed,
      tokenizer: 'byte',
      tieEmbeddings: false,
      hiddenSize: 32,
      intermediateSize: 48,
    })
    const config = join(path, 'config.json')
    const json = JSON.parse(readFileSync(config, 'utf8')) as object
    writeFileSync(config, JSON.stringify({ ...json, max_position_embeddings: POSITIONS }))
  }
  for (const [split, from, to] of [
    ['dev', 0, 6],
    ['test', 6, 12],
  ] as const) {
    mkdirSync(join(folder, 'mmlu', split), { recursive: true })
    for (const subject of SUBJECTS) {
      const rows = Array.from({ length: to - from }, (_, i) => question(subject, from + i))
      const path = join(folder, 'mmlu', split, `${subject}_${split}.csv`)
      writeFileSync(path, rows.map(csvLine).join(''))
    }
  }
  const lines = Array.from({ length: 10 }, (_, i) => `${JSON.stringify(hellaSwag(i))}\n`)
  writeFileSync(join(folder, 'hellaswag_val.jsonl'), lines.join(''))
  writeFileSync(join(folder, 'text.txt'), TEXT)
  return folder
}

if (import.meta.main) await writeLmEvalFiles(process.argv[2]!)
