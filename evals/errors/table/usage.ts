/** @file Errors of the command line, of devices and of memory. */
import { gibibytes } from '../gibibytes.ts'
import { entry } from './entry.ts'

const SYSTEM_REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'Free some space on that disk, then run the same command with --resume.',
  EDQUOT: 'Free some of your quota, then run the same command with --resume.',
  EMFILE: 'Allow this process more open files: ulimit -n 4096.',
  ERR_WORKER_INIT_FAILED: 'Allow this process more open files and threads: ulimit -n 4096 -u 4096.',
  ERR_INVALID_PACKAGE_CONFIG: 'Allow this process more open files: ulimit -n 4096.',
  ENFILE: 'Close some programs: this machine has no open files left.',
  ELOOP: 'Follow the links of that path: they lead in a circle.',
  ENAMETOOLONG: 'Choose a shorter name.',
  EROFS: 'Choose a folder on a disk that can be written, with --out-dir.',
}

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
  'system.refused': entry((v: { path: string; code: string; why: string }) => ({
    message: `${v.path.slice(0, 200)} cannot be used: the operating system says "${v.why}" (${v.code}).`,
    remedy: SYSTEM_REMEDIES[v.code] ?? 'Check that path, and who may read and write there.',
  })),
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
