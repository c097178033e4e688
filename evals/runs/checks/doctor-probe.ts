/**
 * @file Run by `doctor` in a process for each execution provider: a driver that crashes ends only this process, and ONNX
 * Runtime's error stream is separate. Prints one JSON object.
 */
const [provider = 'cpu'] = process.argv.slice(2)
// Imported late, so that a library that cannot be loaded is a finding.
try {
  const { probeProviders, onnxRuntimeVersion, CUDA_REMEDY } =
    await import('../../runtime/device.ts')
  const { ACCELERATORS, parityOf } = await import('../../runtime/parity-record.ts')
  const { sumsExactly } = await import('../../runtime/int8-sums.ts')
  const [report] = await probeProviders([provider])
  const accelerator = ACCELERATORS.find((name) => name === provider)
  const parity = accelerator && parityOf(accelerator)
  const sumsInt8 = provider === 'cpu' && report!.usable ? await sumsExactly() : undefined
  process.stdout.write(
    JSON.stringify({
      ...report,
      onnxruntime: onnxRuntimeVersion(),
      cudaRemedy: CUDA_REMEDY,
      parity,
      sumsInt8,
    }),
  )
} catch (error) {
  const why = `ONNX Runtime cannot be loaded: ${(error as Error).message.split('\n')[0]!}`
  process.stdout.write(JSON.stringify({ name: provider, usable: false, why }))
}
