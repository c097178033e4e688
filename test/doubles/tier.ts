/**
 * @file The two tiers of one suite. `npm run check` takes a sample of the cases that are slow and rarely fail;
 * `npm run check:long` (TOUCHSTONE_LONG=1) takes all of them.
 */
export const IS_LONG = Boolean(process.env['TOUCHSTONE_LONG'])

/** A count in each tier. */
export const counted = (short: number, long: number): number => (IS_LONG ? long : short)

/** `count` cases spread over the list, the first among them; all in the long tier. */
export const sampled = <T>(cases: readonly T[], count: number): readonly T[] =>
  IS_LONG || count >= cases.length
    ? cases
    : Array.from({ length: count }, (_, i) => cases[Math.floor((i * cases.length) / count)]!)
