/** @file `doctor --parity`: the self-test of one device in a process of its own, as a finding. */
import { z } from 'zod'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { plainText } from '../../document/plain-text.ts'
import { missingLibrary, probe } from './probe.ts'

const Report = z.object({
  passed: z.boolean(),
  tolerance: z.number(),
  worst: z.number(),
  of: z.string(),
  rows: z.array(
    z.object({ of: z.string(), fromCpu: z.number(), fromPyTorch: z.number().nullable() }),
  ),
  /** For a device that must pass: whether a card did the work, the cards, and the path of the stored result. */
  isHardware: z.boolean().optional(),
  cards: z.array(z.string()).optional(),
  path: z.string().optional(),
})
const Failure = z.object({ why: z.string() })

type ParityCheck = z.infer<typeof Report> & { readonly device: string }

/** The first run compiles every shader, which takes minutes without a card. */
const LONGEST_MS = 15 * 60_000

/** Throws if the device does not run at all. */
export async function checkParity(device: string): Promise<ParityCheck> {
  const schema = z.union([Report, Failure])
  const { found, told, ended } = await probe('parity-probe', [device], schema, LONGEST_MS)
  if (found && 'rows' in found) return { ...found, device }
  const missing = missingLibrary(`${told}\n${found?.why ?? ''}`)
  throw new TouchstoneError('device.unusable', {
    device,
    why: missing ? `the library ${missing} is missing` : plainText(found?.why ?? ended, 300),
    remedy: `${REMEDIES[device] ?? ''} Until then use --device cpu.`.trim(),
  })
}

const REMEDIES: Readonly<Record<string, string>> = {
  cuda: 'docs/gpu.md says which libraries ONNX Runtime needs for CUDA and where they come from.',
  webgpu: 'Install a Vulkan driver (on Debian mesa-vulkan-drivers); docs/gpu.md says more.',
}

export function parityText(report: ParityCheck): string {
  const { device, rows, tolerance, passed, worst, of, isHardware, path } = report
  const error = (value: number | null) => (value === null ? '–' : value.toExponential(1))
  const table = rows.map(
    (row) =>
      `  ${error(row.fromCpu).padStart(8)}  ${error(row.fromPyTorch).padStart(8)}  ${plainText(row.of)}\n`,
  )
  const adapter =
    isHardware === false
      ? `No card was known to be at work, so --device auto does not take it.\n`
      : ''
  const kept = path === undefined ? '' : `Kept in ${plainText(path)}.\n`
  const verdict = passed
    ? `${device} passed: no tensor is further off than ${error(worst)} (${of}); ${error(tolerance)} is allowed.\n`
    : `${device} FAILED: ${of} is off by ${error(worst)}; ${error(tolerance)} is allowed. Nothing is trained on it.\n`
  return `Relative error from this CPU, from PyTorch, and of which tensor:\n${table.join('')}${verdict}${adapter}${kept}`
}
