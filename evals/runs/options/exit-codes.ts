/** @file Exit codes of every verb; CI systems read them. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  fail: 100,
  inconclusive: 101,
  notComparable: 102,
} as const
