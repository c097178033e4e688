/** @file The only file that reads ONNX Runtime's message text. */
import { TouchstoneError } from '../errors/touchstone-error.ts'

/** A model file that is not ours: what ONNX Runtime says of it is said to whoever gave it. */
export function refusedByOrt(path: string, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error)
  const why = message.split('\n')[0]!.slice(0, 300)
  return new TouchstoneError('onnx.refused', { path, why }, { cause: error })
}

/** On the CPU, on CUDA, and on WebGPU, which numbers its errors (3: out of memory) and has a largest buffer. */
const OUT_OF_MEMORY =
  /bad_alloc|out of memory|Failed to allocate memory|CUDA_ERROR_OUT_OF_MEMORY|WebGPU device error\(3\)|exceeds the max buffer size limit/i

/** An error of the world where the text says so; anything else is a bug in a graph of ours. */
export function translateOrtError(
  error: unknown,
  { device, batchSize }: { device: string; batchSize: number },
): Error {
  const message = error instanceof Error ? error.message : String(error)
  if (OUT_OF_MEMORY.test(message)) {
    return new TouchstoneError('device.out-of-memory', { device, batchSize }, { cause: error })
  }
  if (/the execution provider \w+ is refused|WebGPU device (?:error|lost)/.test(message)) {
    const remedy = `Run \`touchstone doctor --device ${device} --parity\`, which says what is missing, or use --device cpu.`
    const why = refusal(message)
    return new TouchstoneError('device.unusable', { device, why, remedy }, { cause: error })
  }
  return new Error(`internal: ONNX Runtime refused a graph: ${message}`, { cause: error })
}

/** Without the place in ONNX Runtime's sources, and without this machine's folders. */
function refusal(message: string): string {
  const library = /(?<name>[\w.+-]+\.(?:so|dll|dylib)[\w.]*): cannot open shared object/.exec(
    message,
  )
  if (library) return `the library ${library.groups!['name']!} is missing`
  return message
    .replace(/\/onnxruntime_src\S+ .*?(?=\bFailed|\[ONNX)/s, '')
    .split('\n')[0]!
    .slice(0, 300)
}
