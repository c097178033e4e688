/** @file What a measurement ran on. */
import { spawnSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, totalmem, type } from 'node:os'
import { onnxRuntimeVersion } from '../../../evals/runtime/device.ts'

/** Set by `with-avx2.ts` for what it runs. */
export const AS_AVX2 = 'TOUCHSTONE_AS_AVX2'

export const machine = () => ({
  system: `${type()} ${process.arch}`,
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  /** Processes that wanted to run in the last minute: near 0 on a quiet machine. */
  loadAverage: loadavg()[0]!,
  node: process.version,
  onnxruntime: onnxRuntimeVersion(),
  /** Whether ONNX Runtime is kept from AVX-512. */
  asAvx2: process.env[AS_AVX2] !== undefined,
})

export const showMachine = ({
  system,
  processor,
  cores,
  memoryBytes,
  loadAverage,
  node,
  onnxruntime,
  asAvx2,
}: ReturnType<typeof machine>): string =>
  `${processor}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB, ${system}, Node ${node}, ` +
  `ONNX Runtime ${onnxruntime}${asAvx2 ? ' held to AVX2' : ''}; load before the start ${loadAverage.toFixed(1)}`

/** What a process holds of NVIDIA's cards now; null where `nvidia-smi` does not say. */
export function cardBytes(pid: number): number | null {
  const query = ['--query-compute-apps=pid,used_memory', '--format=csv,noheader,nounits']
  const { stdout } = spawnSync('nvidia-smi', query, { encoding: 'utf8' })
  return cardBytesIn(stdout ?? '', pid)
}

export function cardBytesIn(told: string, pid: number): number | null {
  const own = told
    .split('\n')
    .map((line) => line.split(',').map(Number))
    .filter(([process, mebibytes]) => process === pid && Number.isFinite(mebibytes))
  return own.length === 0 ? null : own.reduce((sum, [, mebibytes]) => sum + mebibytes! * 2 ** 20, 0)
}
