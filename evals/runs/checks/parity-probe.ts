/** @file Run by `doctor --parity` in its own process: runs and stores the self-test of one device. Prints one JSON object. */
import { measureParity, type ParityReport } from '../../inspect/parity.ts'
import { isHardware } from '../../runtime/device.ts'
import {
  ACCELERATORS,
  keepParity,
  thisMachine,
  type Accelerator,
} from '../../runtime/parity-record.ts'

const [asked] = process.argv.slice(2)
const device = ACCELERATORS.find((name) => name === asked)
try {
  const report = await measureParity({ name: device ?? 'cpu', threads: 1 })
  process.stdout.write(JSON.stringify({ ...report, ...(device && (await kept(device, report))) }))
} catch (error) {
  // ONNX Runtime's own message, if it is one.
  const { cause = error } = error as Error
  process.stdout.write(JSON.stringify({ why: (cause as Error).message }))
}

async function kept(device: Accelerator, { passed, worst, of }: ParityReport) {
  const onCard = await isHardware(device)
  const record = { ...thisMachine(), device, passed, isHardware: onCard, worst, of }
  const path = keepParity({ ...record, at: new Date().toISOString() })
  return { isHardware: onCard, cards: record.cards, path }
}
