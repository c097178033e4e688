/** @file `touchstone doctor`: what this machine can run, and the one thing to do where something is missing. */
import { z } from 'zod'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { plainText } from '../../document/plain-text.ts'
import { findings, type Findings } from '../../runs/checks/doctor.ts'
import type { Command, Io } from '../command.ts'
import { EXIT } from '../../runs/options/exit-codes.ts'
import { fieldsOf } from '../../runs/options/fields.ts'
import { parseFlags } from '../../runs/options/flags.ts'
import { checkParity, parityText } from '../../runs/checks/parity-check.ts'

const DoctorOptions = z.object({
  device: z.enum(['cpu', 'cuda', 'webgpu']).optional().meta({ help: 'Looks at this device alone' }),
  parity: z.boolean().default(false).meta({
    help: 'Runs the gradient parity self-test on the device and keeps the outcome; nothing is trained on one that has not passed',
  }),
  json: z.boolean().default(false).meta({ help: 'One JSON object on standard output' }),
})

export const doctor: Command = {
  name: 'doctor',
  summary: 'Says what this machine can run, and what to do about what is missing.',
  examples: ['touchstone doctor', 'touchstone doctor --device webgpu --parity'],
  options: [{ title: 'Options', fields: fieldsOf(DoctorOptions) }],
  async run(argv, io) {
    const { json, device, parity } = parseFlags(DoctorOptions, argv, io.environment)
    if (parity) return tellParity(device, json, io)
    const found = await findings(device)
    io.stdout.write(json ? `${JSON.stringify(found)}\n` : doctorText(found))
    return found.isUsable ? EXIT.ok : EXIT.error
  },
}

async function tellParity(device: string | undefined, json: boolean, io: Io): Promise<number> {
  if (device === undefined)
    throw new TouchstoneError('usage.invalid', {
      problem: '--parity needs to know the device',
      remedy: 'Add --device webgpu or --device cuda.',
    })
  io.stderr.write(
    `Testing ${device}; the first run compiles its kernels, which may take minutes.\n`,
  )
  const report = await checkParity(device)
  io.stdout.write(json ? `${JSON.stringify(report)}\n` : parityText(report))
  return report.passed ? EXIT.ok : EXIT.error
}

const MARKS = { ok: '✓', warn: '–', fail: '✗' } as const

function doctorText({ checks, isUsable, version: number, platform }: Findings): string {
  const lines = checks.map(({ name, status, detail, remedy }) => {
    const advice = remedy === null ? '' : `\n                 ${plainText(remedy)}`
    return `  ${MARKS[status]} ${name.padEnd(12)} ${plainText(detail)}${advice}\n`
  })
  const closing = isUsable
    ? 'This machine can run Touchstone.'
    : 'This machine cannot run Touchstone yet; see the lines with ✗.'
  return `Touchstone ${number} on ${platform}\n${lines.join('')}${closing}\n`
}
