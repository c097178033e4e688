/** @file Errors of the command line, of devices and of memory. */
import { gibibytes } from '../gibibytes.ts'
import { entry } from './entry.ts'

export const USAGE_ERRORS = {
  'usage.invalid': entry((v: { problem: string; remedy: string }) => ({
    message: v.problem,
    remedy: v.remedy,
  })),
  'usage.unknown-name': entry(
    (v: { kind: string; name: string; near: readonly string[]; known: readonly string[] }) => ({
      message: `There is no ${v.kind} named "${v.name}".`,
      remedy:
        v.near.length > 0
          ? `Did you mean ${v.near.join(' or ')}?`
          : `Choose one of: ${v.known.join(', ')}.`,
    }),
  ),
  'device.unusable': entry((v: { device: string; why: string; remedy: string }) => ({
    message: `The device "${v.device}" cannot be used: ${v.why}.`,
    remedy: v.remedy,
  })),
  'device.out-of-memory': entry((v: { device: string; batchSize: number }) => ({
    message: `${v.device} ran out of memory at batch size ${v.batchSize}.`,
    remedy:
      v.batchSize > 1
        ? `Lower --batch-size to ${Math.floor(v.batchSize / 2)}.`
        : 'Choose a smaller model.',
  })),
  // `least`: bytes of the smallest form; `smaller`: flags with which it would fit.
  'memory.too-little': entry(
    (v: { budget: number; least: number; smaller: readonly string[] }) => ({
      message: `This takes about ${gibibytes(v.least)} of memory at the peak, also with blocks computed twice where they can be; --memory allows ${gibibytes(v.budget)}.`,
      remedy:
        v.smaller.length > 0
          ? `Add ${v.smaller.join(', or ')}; or allow more.`
          : `Allow at least ${gibibytes(v.least)}, or choose a smaller model.`,
    }),
  ),
} as const
