/** @file `touchstone doctor`: what this machine can run, and the one thing to do where something is missing; `check-install`: whether the installation is whole. */
import { z } from 'zod'
import { usageError } from '../../errors/touchstone-error.ts'
import { plainText } from '../../document/plain-text.ts'
import { findings, installFindings, type Findings } from '../../runs/checks/doctor.ts'
import { command } from '../command.ts'
import { EXIT } from '../../runs/options/exit-codes.ts'
import { checkParity, parityText } from '../../runs/checks/parity-check.ts'

const DoctorOptions = z.object({
  device: z.enum(['cpu', 'cuda', 'webgpu']).optional().meta({ help: 'Looks at this device alone' }),
  parity: z.boolean().default(false).meta({
    help: 'Runs the gradient parity self-test on the device and keeps the outcome; nothing is trained on one that has not passed',
  }),
})

export const doctor = command({
  schema: DoctorOptions,
  examples: ['touchstone doctor', 'touchstone doctor --device webgpu --parity'],
  async run({ options: { device, parity }, io, tell }) {
    if (!parity) {
      const found = await findings(device)
      tell(found, doctorText(found))
      return found.isUsable ? EXIT.ok : EXIT.error
    }
    if (device === undefined) throw needsDevice()
    io.stderr.write(
      `Testing ${device}; the first run compiles its kernels, which may take minutes.\n`,
    )
    const report = await checkParity(device)
    tell(report, parityText(report))
    return report.passed ? EXIT.ok : EXIT.error
  },
})

export const checkInstall = command({
  schema: z.object({}),
  examples: ['touchstone check-install'],
  remark:
    'Holds every file against its digest and every package against its version, and evaluates Pebble on one prompt a suite.',
  async run({ tell }) {
    const found = await installFindings()
    tell(found, doctorText(found))
    return found.isUsable ? EXIT.ok : EXIT.error
  },
})

const needsDevice = () =>
  usageError('--parity needs a device.', 'Add --device webgpu or --device cuda.')

const MARKS = { ok: '✓', warn: '–', fail: '✗' } as const

function doctorText({ checks, isUsable, version: number, platform }: Findings): string {
  const lines = checks.map(({ name, status, detail, remedy }) => {
    const advice = remedy === null ? '' : `\n                 ${plainText(remedy)}`
    return `  ${MARKS[status]} ${name.padEnd(12)} ${plainText(detail)}${advice}\n`
  })
  const closing = isUsable
    ? 'This machine can run Touchstone.'
    : 'Touchstone cannot run here yet; see the lines with ✗.'
  return `Touchstone ${number} on ${platform}\n${lines.join('')}${closing}\n`
}
