/**
 * @file `node test/golden/make-parity.ts FILE`: what `doctor --parity` compares with, out of the golden case with grouped
 * queries. Every number as float32, because the engine's reader takes weights alone; ids are whole numbers, so exact.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeSafetensors } from '../../evals/models/formats/safetensors-write.ts'
import { FIXTURES } from '../doubles/models/golden-llama.ts'
import { readOracle } from '../doubles/models/safetensors.ts'

const CASE = join(FIXTURES, 'llama-untied-gqa')
const USED =
  /^(?:tokens|attention_lengths|labels|(?:full|lora)\.(?:grad|after5|losses|init)(?:\.|$)|greedy\.(?:prompts|prompt_lengths|tokens)$)/u

export async function makeParity(path: string): Promise<void> {
  const config = JSON.stringify(JSON.parse(readFileSync(join(CASE, 'config.json'), 'utf8')))
  const tensors = (file: string) => [...readOracle(join(CASE, file))]
  const all = [
    ...tensors('model.safetensors').map(([name, tensor]) => [`weight:${name}`, tensor] as const),
    ...tensors('expected.safetensors').filter(([name]) => USED.test(name)),
  ]
  await writeSafetensors(
    path,
    all.map(([name, { shape, data }]) => ({ name, shape, data: Float32Array.from(data, Number) })),
    { config },
  )
}

if (import.meta.main) await makeParity(process.argv[2]!)
