/** @file Times and what processes use: medians with their extremes, peak memory, processor time. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('internal: a median needs at least one value')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  return {
    median: (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2,
    min: sorted[0]!,
    max: sorted.at(-1)!,
  }
}

/** An answer to a repetition, ours or the peer's (`Outcome` in works.ts). */
export const OutcomeSchema = z.object({
  ms: z.number(),
  loss: z.number().optional(),
  losses: z.array(z.number()).optional(),
  gradientNorm: z.number().optional(),
  gradientMs: z.number().optional(),
  runs: z.number().optional(),
  tokens: z.array(z.array(z.number())).optional(),
})

export interface Memory {
  /** The largest resident set so far (VmHWM): private pages and mapped files alike. */
  readonly peakBytes: number
  /** Private pages (RssAnon): now, or the most of them that was seen (`watchMemory`). */
  readonly anonymousBytes: number
}

/** Null where the system has no /proc. */
export function memoryOf(pid: number): Memory | null {
  const status = procFile(pid, 'status')
  return status === null ? null : parseStatus(status)
}

export function parseStatus(status: string): Memory | null {
  const kibibytes = (name: string) => new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
  const [peak, anonymous] = [kibibytes('VmHWM'), kibibytes('RssAnon')]
  if (peak === undefined || anonymous === undefined) return null
  return { peakBytes: Number(peak) * 1024, anonymousBytes: Number(anonymous) * 1024 }
}

/** How often a process is looked at for its private pages, whose peak Linux does not keep. */
const LOOK_MS = 10

/** Looks at the process from now on; `seen` gives its peaks so far. */
export function watchMemory(pid: number): { seen(): Memory | null; stop(): void } {
  let last = memoryOf(pid)
  const look = () => {
    const now = memoryOf(pid)
    if (!now) return
    last = {
      peakBytes: Math.max(now.peakBytes, last?.peakBytes ?? 0),
      anonymousBytes: Math.max(now.anonymousBytes, last?.anonymousBytes ?? 0),
    }
  }
  const timer = setInterval(look, LOOK_MS)
  return {
    seen() {
      look()
      return last
    },
    stop: () => clearInterval(timer),
  }
}

/** Processor time that the process has used, in seconds; null where the system has no /proc. */
export function processorSeconds(pid: number): number | null {
  const stat = procFile(pid, 'stat')
  if (stat === null) return null
  // The name, in brackets, may hold spaces; user and system time are the 12th and 13th fields after it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function procFile(pid: number, name: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return null
  }
}

export const mebibytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`

/** `1685 ms (1612–1790)` */
export const showSpread = ({ median, min, max }: Spread): string =>
  `${Math.round(median)} ms (${Math.round(min)}–${Math.round(max)})`
