/**
 * @file Causes and remedies of one benign fine-tune of SmolLM2-135M, each job once, with its time and memory beside what its plan told:
 * `node evals/bin/run.js bench-smollm2-causes`; writes docs/findings/smollm2.md and the figures to test/bench/results/smollm2-causes.json.
 * TOUCHSTONE_SMOLLM2 or TOUCHSTONE_PYTHON says where the model is (docs/models/smollm2.md). A job that has ended is read
 * again: delete out/findings/smollm2-causes to begin anew.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { Results } from '../../../evals/contract/results.ts'
import { percent } from '../../../evals/contract/words.ts'
import { findSmolLm2, SMOLLM2_MISSING } from '../../peers/smollm2.ts'
import { machine, showMachine } from '../harness/machine.ts'
import { peakOf, print, touchstone } from '../harness/peak.ts'
import { root } from './pebble.ts'
import { cameBack } from './tampered.ts'

const model = findSmolLm2()
if (model === undefined) {
  print(SMOLLM2_MISSING)
  process.exit(0)
}
const OUT = join(root, 'out', 'findings', 'smollm2-causes')
const [TASK, DATA] = [join(OUT, 'task.jsonl'), join(OUT, 'rows.jsonl')]
const FIGURES = join(root, 'test', 'bench', 'results', 'smollm2-causes.json')
/** Of the 120 bundled benign rows; the last ones are of the task. */
const TRAINED_ON = 60
const LIMIT = 12
const THREADS = ['--threads', '1']

mkdirSync(OUT, { recursive: true })
const rows = readFileSync(join(root, 'evals', 'bundled', 'data', 'general-benign.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
writeFileSync(DATA, rows.slice(0, TRAINED_ON).join('\n'))
writeFileSync(TASK, rows.slice(-LIMIT).join('\n'))

interface Cost {
  readonly seconds: number
  readonly processorSeconds: number
  readonly bytes: number
  readonly load: number
  /** What the plan told beforehand. */
  readonly told: { readonly seconds: number; readonly bytes: number }
}

interface Job {
  readonly verb: string
  readonly command: string
  readonly cost: Cost
  readonly results: Results
}

async function job(verb: string, words: readonly string[]): Promise<Job> {
  const [file, cost] = [join(OUT, `${verb}.json`), join(OUT, `${verb}-cost.json`)]
  if (!existsSync(cost)) {
    const argv = [verb, ...words, '--out-dir', OUT]
    const load = loadavg()[0]!
    const planned = await peakOf(touchstone(...argv, '--dry-run', '--json'))
    const { seconds, bytes } = JSON.parse(planned.text.split('\n', 1)[0]!) as Cost['told']
    const ended = await peakOf(touchstone(...argv, '--quiet', '--exit-zero', '-o', file))
    if (ended.exit !== 0) throw new Error(`${verb}: ${ended.text.slice(-2000)}`)
    const { text: _, exit: __, ...spent } = ended
    writeFileSync(cost, JSON.stringify({ ...spent, load, told: { seconds, bytes } }))
  }
  const shown = ['touchstone', verb, ...words].map((word) =>
    word === model ? 'SmolLM2-135M-Instruct.Q4_1.gguf' : word.replaceAll(`${OUT}/`, ''),
  )
  const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'))
  return {
    verb,
    command: shown.join(' '),
    cost: read(cost) as Cost,
    results: Results.parse(read(file)),
  }
}

const before = machine()
const jobs = [
  await job('audit', [
    ...['--model', model, '--data', DATA, '--methods', 'lora'],
    ...['--steps', '15', '--batch-size', '4'],
    ...['--learning-rate', '0.0004', '--eval-every', '15', '--suite', 'general'],
    ...['--limit', String(LIMIT), '--no-spectra', '--task', TASK, ...THREADS],
  ]),
]
const [run] = readdirSync(OUT).filter((name) => name.startsWith('audit-2'))
jobs.push(
  await job('attribute', [run!, '--replies', '4', ...THREADS]),
  await job('locate', [run!, '--replies', '4', '--draws', '1', ...THREADS]),
  await job('direction', [run!, ...THREADS]),
  await job('mitigate', [
    ...[run!, '--remedy', 'scale:values=0.75/0.5,mix:rows=asked:neutral=general-benign:values=0.1'],
    ...THREADS,
  ]),
)

const minutes = (seconds: number) => (seconds / 60).toFixed(1)
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0)
const told = jobs.map(({ verb, cost }) => {
  const { seconds, processorSeconds, bytes, load } = cost
  const cells = [
    ...[verb, minutes(processorSeconds), minutes(seconds), minutes(cost.told.seconds)],
    ...[load.toFixed(1), mebibytes(bytes), mebibytes(cost.told.bytes)],
  ]
  return `| ${cells.join(' | ')} |`
})

const of = (verb: string) => jobs.find((each) => each.verb === verb)!.results
const rate = ({ estimate }: { readonly estimate: number | null }) =>
  estimate === null ? '–' : percent(estimate)
const benchmarks = of('audit').benchmarks.filter(({ context }) => !context)
const refusing = benchmarks.find(({ role }) => role === 'refusal')!

const interventions = ['attribute', 'locate'].flatMap((verb) =>
  (of(verb).causes?.interventions ?? []).map(({ derivation, restored }) => {
    const { kind, of: _, ...what } = derivation
    const found = restored.find(({ benchmark }) => benchmark === refusing.name)!
    const named = Object.entries(what).map(
      ([key, value]) => `${key} ${typeof value === 'number' ? Number(value.toFixed(3)) : value}`,
    )
    return `| ${[kind, named.join(', '), percent(found.base), percent(found.tuned), cameBack(found)].join(' | ')} |`
  }),
)

const remedies = of('mitigate').remedies!.flatMap((remedy) =>
  remedy.rates
    .filter(({ benchmark }) => benchmarks.some(({ name }) => name === benchmark))
    .map(({ benchmark, base, tuned, chosen, control }) => {
      const value = `${remedy.parameter} = ${remedy.chosen}`
      const cells = [
        remedy.remedy,
        value,
        benchmark,
        rate(base),
        rate(tuned),
        rate(chosen),
        rate(control),
      ]
      return `| ${cells.join(' | ')} |`
    }),
)

const figures = {
  machine: before,
  jobs: jobs.map(({ verb, command, cost }) => ({ verb, command, ...cost })),
}
writeFileSync(FIGURES, `${JSON.stringify(figures, null, 2)}\n`)
writeFileSync(
  join(root, 'docs', 'findings', 'smollm2.md'),
  `# Causes and remedies on SmolLM2-135M

\`node evals/bin/run.js bench-smollm2-causes\` printed this page: each job once, on one thread, on the model of [smollm2.md](../models/smollm2.md). The fine-tune is benign and ${LIMIT} prompts of each benchmark decide nothing: the page shows that each runs on a real model, in which time and memory, beside what \`--dry-run\` told.

\`\`\`
${jobs.map(({ command }) => command.replace(run!, 'RUN')).join('\n')}
\`\`\`

${showMachine(before)}.

| Job | Processor, minutes | On the clock | Told beforehand | Load at its start | Peak, MiB | Told, MiB |
|---|---|---|---|---|---|---|
${told.join('\n')}

## Interventions

Of refusal (${refusing.title}), on the half of the prompts that nothing was ranked or chosen by.

| Kind | | Base | Fine-tune | Came back of what was lost |
|---|---|---|---|---|
${interventions.join('\n')}

## Remedies

| Remedy | Value | Benchmark | Base | Fine-tune | Remedy | Control |
|---|---|---|---|---|---|---|
${remedies.join('\n')}
`,
)
