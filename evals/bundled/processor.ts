/** @file What decides how sums round: the processor's family and the widest vectors that it computes with. */
import { readFile } from 'node:fs/promises'
import { cpus } from 'node:os'

/** Sets that ONNX Runtime has float32 kernels of its own for, widest first. Training rounds alike with the first two (docs/models/pebble.md). */
const VECTORS = ['avx512f', 'avx2', 'avx', 'asimd'] as const

/** A marketing name such as "AMD EPYC" covers processors that round differently; where the system says more, it is here. */
export async function processorType(): Promise<string> {
  const told = await readFile('/proc/cpuinfo', 'utf8').catch(() => '')
  return describeProcessor(process.arch, cpus()[0]?.model.trim() || 'unknown', told)
}

/** @param told /proc/cpuinfo, or '' where there is none */
export function describeProcessor(arch: string, name: string, told: string): string {
  const field = (key: string) => new RegExp(`^${key}\\s*:\\s*(.+)$`, 'm').exec(told)?.[1]
  const [family, model] = [field('cpu family'), field('model')]
  const flags = new Set((field('flags') ?? field('Features') ?? '').split(/\s+/))
  const widest = VECTORS.find((set) => flags.has(set))
  const known = [
    family && model ? `family ${family}, model ${model}` : undefined,
    widest ? `up to ${widest}` : undefined,
  ]
  return [`${arch}, ${name}`, ...known.filter((part) => part !== undefined)].join(', ')
}
