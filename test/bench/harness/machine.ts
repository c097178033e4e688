/** @file What a measurement ran on. */
import { availableParallelism, cpus, loadavg, totalmem, type } from 'node:os'
import { onnxRuntimeVersion } from '../../../evals/runtime/device.ts'

export const machine = () => ({
  system: `${type()} ${process.arch}`,
  processor: cpus()[0]?.model.trim() ?? 'unknown',
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  /** Processes that wanted to run in the last minute: near 0 on a quiet machine. */
  loadAverage: loadavg()[0]!,
  node: process.version,
  onnxruntime: onnxRuntimeVersion(),
})

export const showMachine = ({
  system,
  processor,
  cores,
  memoryBytes,
  loadAverage,
  node,
  onnxruntime,
}: ReturnType<typeof machine>): string =>
  `${processor}, ${cores} cores, ${Math.round(memoryBytes / 2 ** 30)} GiB, ${system}, Node ${node}, ` +
  `ONNX Runtime ${onnxruntime}; load before the start ${loadAverage.toFixed(1)}`
