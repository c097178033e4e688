/**
 * @file `npm run bench`: how long our engine takes for a LoRA step, a full step and two generations, and how much memory, each in a
 * process of its own. Flags: --work NAME (may repeat), --layers 30, --runs 5, --threads 2, --profile, --json.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { COMMON_OPTIONS, chosenWorks, parse, wholeNumber } from './harness/bench-options.ts'
import { DEVIATION, DeviationSchema, showDeviation } from './harness/deviation.ts'
import { machine, showMachine } from './harness/machine.ts'
import { mebibytes, OutcomeSchema, showSpread, spread } from './harness/measure.ts'
import { type Inputs, SKIPPED, startOurs, withInputs } from './harness/our-side.ts'
import { readProfile, showProfile } from './harness/profile.ts'
import { sgemmPeak } from './harness/sgemm-peak.ts'
import type { Outcome, Work } from './harness/works.ts'

const values = parse({
  ...COMMON_OPTIONS,
  runs: { type: 'string', default: '5' },
  profile: { type: 'boolean', default: false },
})
const works = chosenWorks(values.work)
const layers = wholeNumber('layers', values.layers, 1, 1000)
const runs = wholeNumber('runs', values.runs, 1, 1000)
const threads = wholeNumber('threads', values.threads, 1, 1024)
const say = (line: string) => process.stdout.write(values.json ? '' : `${line}\n`)

async function measure(work: Work, inputs: Inputs) {
  const { name, does } = work
  const prefix = values.profile ? join(inputs.folder, name) : undefined
  const child = await startOurs(work, inputs, threads, prefix)
  const outcomes: Outcome[] = []
  for (let run = 0; run < SKIPPED + runs; run++)
    outcomes.push(await child.ask({ work: does }, OutcomeSchema))
  const memory = child.memory()
  const deviation = work.forward && (await child.ask(DEVIATION, DeviationSchema))
  await child.quit()
  const counted = outcomes.slice(SKIPPED)
  return {
    work: name,
    arithmetic: child.arithmetic,
    nodes: child.nodes,
    buildMs: child.buildMs,
    ms: spread(counted.map(({ ms }) => ms)),
    gradientMs: counted[0]!.gradientMs
      ? spread(counted.map(({ gradientMs }) => gradientMs!))
      : undefined,
    firstLoss: outcomes[0]!.loss,
    newTokens: outcomes[0]!.tokens?.flat().length,
    firstTokens: outcomes[0]!.tokens?.map((tokens) => tokens.slice(0, 8)),
    memory,
    deviation,
    profile: prefix && (await profileOf(inputs.folder, name, outcomes[0]!.runs ?? 1)),
  }
}
type Measured = Awaited<ReturnType<typeof measure>>

async function profileOf(folder: string, name: string, runsOfOne: number) {
  const file = (await readdir(folder)).find(
    (entry) => entry.startsWith(`${name}_`) && entry.endsWith('.json'),
  )
  if (!file) throw new Error('ONNX Runtime wrote no profile.')
  const text = await readFile(join(folder, file), 'utf8')
  return readProfile(text, { runs: runsOfOne, skipped: SKIPPED })
}

function show({ title }: Work, measured: Measured): string {
  const { ms, gradientMs, nodes, buildMs, memory, firstLoss, firstTokens, profile } = measured
  const { arithmetic, newTokens = 0, deviation } = measured
  const rate = (1000 * newTokens) / ms.median
  return [
    `${title}: ${showSpread(ms)}`,
    ...(gradientMs
      ? [
          `  of it forward and backward ${showSpread(gradientMs)}; the rest is clipping and the optimiser`,
        ]
      : [`  ${newTokens} new tokens, ${rate.toFixed(0)} a second, reading the prompts included`]),
    `  ${arithmetic}; ${nodes} nodes, built in ${Math.round(buildMs)} ms; ${showMemory(memory)}`,
    ...(firstLoss === undefined ? [] : [`  first loss ${firstLoss.toPrecision(5)}`]),
    ...(deviation ? [`  ${showDeviation(deviation)}`] : []),
    ...(firstTokens ? [`  first tokens ${firstTokens[0]!.join(' ')}`] : []),
    ...(profile ? [showProfile(profile, peak!)] : []),
  ].join('\n')
}

const showMemory = (memory: Measured['memory']): string =>
  memory
    ? `peak memory ${mebibytes(memory.peakBytes)}, of private pages ${mebibytes(memory.anonymousBytes)}`
    : 'memory is measured on Linux only'

const on = machine()
const peak = values.profile ? await sgemmPeak(threads) : undefined
say(`${showMachine(on)}; ${layers} layers, ${threads} threads, median of ${runs} (min–max)`)
const results: Measured[] = []
await withInputs(layers, works, async (inputs) => {
  for (const work of works) {
    results.push(await measure(work, inputs))
    say(show(work, results.at(-1)!))
  }
})
if (values.json)
  process.stdout.write(
    `${JSON.stringify({ machine: on, layers, threads, runs, peak, results }, null, 2)}\n`,
  )
