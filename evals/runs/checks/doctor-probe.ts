/**
 * @file Run by `doctor` on its own Node, one execution provider a process: a driver that crashes takes only this
 * process with it, and what ONNX Runtime prints on its error stream stays apart. Prints one JSON object.
 */
const [provider = 'cpu'] = process.argv.slice(2)
// Imported late: where the library itself cannot be loaded, that is the finding.
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
