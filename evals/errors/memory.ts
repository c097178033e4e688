/** @file Errors about memory. */
import { entry } from './entry.ts'

export const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`

export const MEMORY_ERRORS = {
  // `least` is what the asked takes in its smallest form; `smaller` names flags that would fit.
  'memory.too-little': entry(
    (v: { budget: number; least: number; smaller: readonly string[] }) => ({
      message: `This takes about ${gibibytes(v.least)} of memory at the peak, also with blocks computed twice where they can be; --memory allows ${gibibytes(v.budget)}.`,
      remedy:
        v.smaller.length > 0
          ? `Add ${v.smaller.join(', or ')}; or allow more.`
          : `Allow at least ${gibibytes(v.least)}, or choose a smaller model.`,
    }),
  ),
}
