/**
 * @file `npm run bench:card`: everything that is to be shown on a graphics card, in one command: the parity self-test; every method of the
 * registry trained there and on this processor, losses compared; LoRA step, full step and generation beside PyTorch, PEFT and
 * transformers on the same card, with the memory that each holds there. Flags: --device cuda|webgpu|cpu (cpu takes the place of a card, and shows only
 * that the script works), --method NAME (may repeat), --layers 30, --pairs 7. Ends with code 1 at the first part that cannot be done, or where numbers differ.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { METHODS } from '../../../evals/finetune/registry.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { parse, usage } from '../harness/bench-options.ts'
import { machine, showMachine } from '../harness/machine.ts'
import { print } from '../harness/peak.ts'
import { differenceOf } from './losses.ts'

const ROOT = join(import.meta.dirname, '../../..')
const STEPS = 6
/** Of a loss: a card adds in another order. */
const ALLOWED = 1e-3

const values = parse({
  device: { type: 'string', default: 'cuda' },
  method: { type: 'string', multiple: true },
  layers: { type: 'string', default: '30' },
  pairs: { type: 'string', default: '7' },
})
const { device } = values
if (!['cuda', 'webgpu', 'cpu'].includes(device))
  usage(`--device takes cuda, webgpu or cpu, not "${device}".`)

interface Ended {
  readonly code: number | null
  /** Its last line. */
  readonly last: string
}

/** Runs a script; what it says is shown, or kept back where `isQuiet`. */
async function ran(args: readonly string[], isQuiet = false): Promise<Ended> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let told = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      told += text
      if (!isQuiet) process.stdout.write(text)
    })
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, last: told.trimEnd().split('\n').at(-1) ?? '' }
}

const cli = (...words: string[]) => ['evals/bin/cli.ts', ...words]

function ends(part: number, sentence: string): never {
  print(`\nEnded at part ${part} of 3: ${sentence}`)
  process.exit(1)
}

/** The losses of a few steps on Pebble; a sentence where it failed. */
async function lossesOf(method: string, on: string): Promise<number[] | string> {
  const out = await mkdtemp(join(tmpdir(), 'touchstone-card-'))
  try {
    const words = ['--model', 'pebble', '--data', 'house-benign', '--methods', method]
    const small = ['--steps', String(STEPS), '--batch-size', '4', '--device', on, '--out-dir', out]
    const { code, last } = await ran(cli('train', ...words, ...small), true)
    if (code !== 0) return last
    const store = openStore(join(out, 'touchstone.db'))
    try {
      const { metrics } = store.rows(store.runs()[0]!.id)
      return metrics.filter(({ name }) => name === 'train/loss').map(({ value }) => value)
    } finally {
      store.close()
    }
  } finally {
    await rm(out, { recursive: true, force: true })
  }
}

async function methodsAgree(): Promise<boolean> {
  const names = values.method ?? METHODS.map(({ name }) => name)
  print(`| method | largest difference of ${STEPS} losses, of themselves |\n| --- | --- |`)
  let agree = true
  for (const name of names) {
    const [there, here] = [await lossesOf(name, device), await lossesOf(name, 'cpu')]
    const found = differenceOf(there, here)
    agree &&= typeof found === 'number' && found <= ALLOWED
    print(`| ${name} | ${typeof found === 'number' ? found.toExponential(1) : found} |`)
  }
  return agree
}

print(showMachine(machine()))
if (device !== 'cpu') {
  print(`\nPart 1 of 3: doctor --device ${device} --parity`)
  const { code } = await ran(cli('doctor', '--device', device, '--parity'))
  if (code !== 0)
    ends(
      1,
      `${device} cannot be used here or does not give the processor’s numbers, for the reason above; nothing was measured.`,
    )
}
print(`\nPart 2 of 3: every method, ${STEPS} steps on ${device} and on this processor`)
const agree = await methodsAgree()
if (device === 'webgpu') ends(3, 'PyTorch has no WebGPU, so nothing is compared there.')
print('\nPart 3 of 3: beside PyTorch, PEFT and transformers')
const works = ['lora-step', 'full-step', 'generate'].flatMap((name) => ['--work', name])
const size = ['--layers', values.layers, '--pairs', values.pairs, '--wait', 'default']
const { code, last } = await ran(['test/bench/peers.ts', '--device', device, ...works, ...size])
if (code !== 0) ends(3, 'the comparison failed, or both sides computed other numbers.')
if (last.startsWith('Skipped')) ends(3, last)
print(
  agree
    ? `\nAll of it ran on ${device}, and the numbers are the processor’s.`
    : `\nAll of it ran on ${device}; of the methods above not all gave the processor’s losses within ${ALLOWED}.`,
)
if (!agree) process.exitCode = 1
