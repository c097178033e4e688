/**
 * @file SmolLM2-135M compressed, merged and split: `node evals/bin/run.js bench-smollm2 --limit 16`; writes docs/models/smollm2-findings.md.
 * Arms of NF4, NF3 and int8; the line between two benign adapters; one LQ-LoRA run. TOUCHSTONE_SMOLLM2 or TOUCHSTONE_PYTHON says
 * where the model is (docs/models/smollm2.md). Each part is a process of its own, with its peak memory;
 * `--part compressed`, `merged` or `lq-lora` takes some alone.
 */
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { firstJudge } from '../../../evals/contract/keys.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import type { Results } from '../../../evals/contract/results.ts'
import { findSmolLm2, SMOLLM2_MISSING } from '../../peers/smollm2.ts'
import { parse, wholeNumber } from '../harness/bench-options.ts'
import { machine, showMachine } from '../harness/machine.ts'
import { peakOf, print, touchstone } from '../harness/peak.ts'
import { root } from './pebble.ts'

const values = parse({
  limit: { type: 'string', default: '16' },
  steps: { type: 'string', default: '20' },
  threads: { type: 'string', default: '2' },
  part: { type: 'string', multiple: true },
})
const limit = String(wholeNumber('limit', values.limit, 1, 10_000))
const model = findSmolLm2()
if (model === undefined) {
  print(SMOLLM2_MISSING)
  process.exit(0)
}
const before = machine()
const OUT = join(root, 'out', 'findings', 'smollm2')
const TRAINING = [
  ...['--data', 'general-benign', '--steps', values.steps, '--batch-size', '2'],
  ...['--learning-rate', '0.0002', '--max-tokens', '256'],
]
const ASKING = [
  ...['--suite', 'general', '--limit', limit, '--eval-batch-size', '16', '--no-spectra'],
  ...['--exit-zero'],
]

const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`

interface Part {
  readonly results: Results
  readonly seconds: number
  readonly bytes: number
  /** Seconds from the last evaluation of the state before to its own last one, by `ARM STEP`. */
  readonly spent: ReadonlyMap<string, number>
  readonly command: string
}

interface Cost {
  readonly seconds: number
  readonly bytes: number
}

/** Runs a job; one that has ended already is read again: delete out/findings/smollm2 to begin anew. */
async function run(name: string, verb: string, words: readonly string[]): Promise<Part> {
  const folder = join(OUT, name)
  const path = join(folder, 'cost.json')
  if (!existsSync(path)) {
    rmSync(folder, { recursive: true, force: true })
    const own = ['--model', model!, ...words, '--threads', values.threads]
    const ended = await peakOf(touchstone(verb, ...own, '--out-dir', folder, '--quiet'))
    if (ended.exit !== 0) throw new Error(`${name}: ${ended.text.slice(-2000)}`)
    const cost: Cost = { seconds: ended.seconds, bytes: ended.bytes }
    writeFileSync(path, JSON.stringify(cost))
  }
  const { seconds, bytes } = JSON.parse(readFileSync(path, 'utf8')) as Cost
  print(`${name}: ${seconds.toFixed(0)} s, peak ${mebibytes(bytes)}`)
  const store = openStore(join(folder, 'touchstone.db'))
  const { id } = store.runs()[0]!
  const results = buildResults(store.rows(id))
  const ends = new Map<string, number>()
  let begun = NaN
  for (const event of store.events(id)) {
    if (event.type === 'job-start') begun = event.at
    if (event.type === 'evaluation-end')
      ends.set(`${event.subject.arm} ${event.subject.step}`, event.at)
  }
  store.close()
  const spent = new Map<string, number>()
  for (const [state, at] of ends) {
    spent.set(state, (at - begun) / 1000)
    begun = at
  }
  const shown = ['touchstone', verb, '--model', 'SmolLM2-135M-Instruct.Q4_1.gguf', ...words]
  const command = shown.join(' ').replaceAll(/[^ :+]*\/arms\//gu, '')
  return { results, seconds, bytes, spent, command }
}

/** The adapters that a training left, in order of their seeds. */
const adaptersIn = (name: string): string[] =>
  globSync('*/arms/*/adapter_model.safetensors', { cwd: join(OUT, name) })
    .map((path) => join(OUT, name, dirname(path)))
    .sort()

const shown = (share: number | null) => (100 * share!).toFixed(1)

/** A state a row: its rates with their intervals, the paired outcome of each by the gate, and its seconds. */
function tableOf({ results, spent }: Part): string {
  const { benchmarks, evaluations } = results
  const rows = [...spent].map(([state, seconds]) => {
    const [arm, step] = state.split(' ') as [string, string]
    const rates = benchmarks.map((benchmark) => {
      const judge = firstJudge(benchmark)
      const { estimate, lower, upper } = evaluations.find(
        (row) =>
          row.arm === arm &&
          row.step === Number(step) &&
          row.benchmark === benchmark.name &&
          row.judge === judge,
      )!.rate
      return `${shown(estimate)} % (${shown(lower)} – ${shown(upper)})`
    })
    return `| \`${arm}\` | ${step} | ${rates.join(' | ')} | ${seconds.toFixed(0)} |`
  })
  const titles = benchmarks.map(({ title }) => title)
  return [
    `| State | Step | ${titles.join(' | ')} | Seconds |`,
    `| ${['', '', ...titles, ''].map(() => '---').join(' | ')} |`,
    ...rows,
  ].join('\n')
}

const section = (title: string, told: string, part: Part) => `## ${title}

\`\`\`
${part.command}
\`\`\`

${told} Whole run: ${part.seconds.toFixed(0)} s, peak ${mebibytes(part.bytes)}. Verdict: ${part.results.verdict.outcome}.

${tableOf(part)}
`

async function compressedPart(): Promise<string> {
  const part = await run('compressed', 'audit', ['--compress', 'nf4,nf3,int8', ...ASKING])
  const told =
    'Every variant computes in float32 after its round trip, so its peak is that of the base.'
  return section('Compressed', told, part)
}

async function mergedPart(): Promise<string> {
  const adapters = ['--methods', 'lora', '--seeds', '0,1', ...TRAINING]
  const { seconds, bytes, command } = await run('adapters', 'train', adapters)
  const [a, b] = adaptersIn('adapters')
  const part = await run('merged', 'audit', ['--merge', `svd:${a}+${b}@0,0.5,1`, ...ASKING])
  const told = `The adapters, in ${seconds.toFixed(0)} s and with a peak of ${mebibytes(bytes)}:

\`\`\`
${command}
\`\`\`

`
  return section('Two benign adapters, merged', told, part)
}

async function splitPart(): Promise<string> {
  const words = [
    ...['--methods', 'lq-lora', '--rank', '4', '--lq-lora.alternations', '2'],
    ...['--target-modules', 'q_proj,v_proj', '--eval-every', '1000'],
  ]
  const told =
    'NF3 and rank 4 of the projections of queries and values, two alternations; step 0 is the split itself.'
  return section('LQ-LoRA', told, await run('lq-lora', 'audit', [...words, ...TRAINING, ...ASKING]))
}

const PARTS = { compressed: compressedPart, merged: mergedPart, 'lq-lora': splitPart }
const sections: string[] = []
for (const [name, make] of Object.entries(PARTS))
  if (!values.part || values.part.includes(name)) sections.push(await make())
const parts = (values.part ?? []).map((name) => ` --part ${name}`).join('')

writeFileSync(
  join(root, 'docs', 'models', 'smollm2-findings.md'),
  `# What compression, merging and LQ-LoRA do to SmolLM2-135M

Written by

\`\`\`
node evals/bin/run.js bench-smollm2 --limit ${limit} --steps ${values.steps}${parts}
\`\`\`

on the model of [smollm2.md](smollm2.md). ${limit} prompts of each benchmark of the general set
decide nothing about margins of 5 points: this page shows that each runs on a real model, in which
time and memory. The model refuses less than half of the mild requests to begin with. Rates with
Wilson's 95 % intervals, of refusals in the first two benchmarks and of correct answers in the third.
Seconds are from the state before to a state's last reply, its making included; merged states are
asked in one pass, whose seconds stand at the first.

${showMachine(before)}. Other work ran on the machine; seconds are longer than on a quiet one.

${sections.join('\n')}`,
)
