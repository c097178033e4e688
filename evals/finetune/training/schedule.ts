/** @file Learning-rate schedules as factors of the peak rate, equal to transformers' get_*_schedule_with_warmup. */

export const SCHEDULES = ['cosine', 'linear', 'constant'] as const
type Schedule = (typeof SCHEDULES)[number]

/** The factor at `step` (from 0): rises linearly over `warmup` steps, then falls to 0 at `total`; `constant` stays at 1. */
export function scheduleFactor(
  schedule: Schedule,
  step: number,
  warmup: number,
  total: number,
): number {
  if (step < warmup) return step / Math.max(1, warmup)
  const progress = (step - warmup) / Math.max(1, total - warmup)
  switch (schedule) {
    case 'constant':
      return 1
    case 'linear':
      return Math.max(0, 1 - progress)
    case 'cosine':
      return Math.max(0, 0.5 * (1 + Math.cos(Math.PI * progress)))
  }
}
