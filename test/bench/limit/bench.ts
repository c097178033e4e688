/**
 * @file How near a training step comes to what this machine can multiply: `node test/bench/limit/bench.ts [--runs 5] [--threads 2]
 * [--layers 30] [--out FILE]`. Prints ONNX Runtime's rate at its best and at each shape of SmolLM2-135M, the operations of a LoRA step
 * and of a full one written out, and both steps as a share of the best rate and of the time that their products take alone. Bar: 80 %.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { chosenWorks, parse, wholeNumber } from '../harness/bench-options.ts'
import { machine, showMachine } from '../harness/machine.ts'
import { OutcomeSchema, showSpread, spread } from '../harness/measure.ts'
import { SKIPPED, startOurs, withInputs } from '../harness/our-side.ts'
import { print } from '../harness/peak.ts'
import { SMOLLM2_135M } from '../harness/random-model.ts'
import { productRate, sgemmPeak } from '../harness/sgemm-peak.ts'
import { operationsOf, productsOf, type Product } from './step-products.ts'
import { LORA, STEP_TOKENS } from '../harness/works.ts'

const BAR = 0.8

const values = parse({
  runs: { type: 'string', default: '5' },
  threads: { type: 'string', default: '2' },
  layers: { type: 'string', default: '30' },
  out: { type: 'string' },
})
const runs = wholeNumber('runs', values.runs, 1, 1000)
const threads = wholeNumber('threads', values.threads, 1, 1024)
const layers = wholeNumber('layers', values.layers, 1, 1000)

const STEPS = [
  { name: 'lora-step', rank: LORA.rank },
  { name: 'full-step', rank: undefined },
] as const

const billions = (rate: number): string => (rate / 1e9).toFixed(0)

/** By shape, so that one of several products is measured once. */
const rates = new Map<string, number>()
async function rateOf({ m, k, n }: Product): Promise<number> {
  const shape = `${m} × ${k} × ${n}`
  const known = rates.get(shape) ?? (await productRate([m, k, n], threads))
  rates.set(shape, known)
  return known
}

const on = machine()
print(`${showMachine(on)}; ${layers} layers, ${threads} threads`)
const peak = await sgemmPeak(threads)
print(`ONNX Runtime’s best: ${billions(peak)} billion operations a second (square matrices)`)
const results: object[] = []
await withInputs(layers, chosenWorks(STEPS.map(({ name }) => name)), async (inputs) => {
  for (const { name, rank } of STEPS) {
    const [work] = chosenWorks([name])
    const products = productsOf(
      { ...SMOLLM2_135M, layers },
      { ...STEP_TOKENS, ...(rank && { rank }) },
    )
    print(`\n${work!.title}`)
    print('| product | m × k × n | times | 10⁹ operations | 10⁹ a second | ms |')
    print('| --- | --- | --- | --- | --- | --- |')
    let [operations, alone] = [0, 0]
    const written: object[] = []
    for (const product of products) {
      const { what, m, k, n, times } = product
      const [own, rate] = [operationsOf(product), await rateOf(product)]
      operations += own
      alone += own / rate
      written.push({ ...product, operations: own, rate })
      print(
        `| ${what} | ${m} × ${k} × ${n} | ${times} | ${(own / 1e9).toFixed(2)} | ${billions(rate)} | ${((1000 * own) / rate).toFixed(0)} |`,
      )
    }
    const child = await startOurs(work!, inputs, threads)
    const times: number[] = []
    for (let run = 0; run < SKIPPED + runs; run++)
      times.push((await child.ask({ work: work!.does }, OutcomeSchema)).ms)
    await child.quit()
    const ms = spread(times.slice(SKIPPED))
    const rate = operations / (ms.median / 1000)
    const [ofPeak, ofAlone] = [rate / peak, (1000 * alone) / ms.median]
    const [whole, products_] = [ofPeak, ofAlone].map((share) => `${(100 * share).toFixed(0)} %`)
    print(
      `${showSpread(ms)}; ${(operations / 1e9).toFixed(1)} billion operations: ${billions(rate)} billion a second, ${whole} of the best rate (bar ${100 * BAR} %: ${ofPeak >= BAR ? 'met' : 'missed'}); its products alone would take ${(1000 * alone).toFixed(0)} ms, ${products_} of the step`,
    )
    results.push({ name, ms, operations, alone, ofPeak, ofAlone, products: written })
  }
})
if (values.out !== undefined) {
  mkdirSync(dirname(values.out), { recursive: true })
  const found = { machine: on, threads, layers, peak, results }
  writeFileSync(values.out, `${JSON.stringify(found, null, 2)}\n`)
}
