/** @file Translates ONNX Runtime's error messages; no other file reads them. */
import { TouchstoneError } from '../errors/touchstone-error.ts'

/** A user's model file was refused; the error carries ONNX Runtime's first line. */
export function refusedByOrt(path: string, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error)
  const why = message.split('\n')[0]!.slice(0, 300)
  return new TouchstoneError('onnx.refused', { path, why }, { cause: error })
}

/** Messages of the CPU, of CUDA, and of WebGPU, which numbers its errors (3: out of memory) and limits the size of a buffer. */
const OUT_OF_MEMORY =
  /bad_alloc|out of memory|Failed to allocate memory|CUDA_ERROR_OUT_OF_MEMORY|WebGPU device error\(3\)|exceeds the max buffer size limit/i

/** An environment error where the message is a known one; otherwise our graph is wrong, which is a bug. */
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

/** The message without ONNX Runtime's source positions and this machine's folders. */
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
