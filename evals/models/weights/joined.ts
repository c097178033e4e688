/** @file Arrays of numbers one after the other. */

/** Of any number of arrays; `Floats` is the class of the result. */
export function joined<F extends Float32Array | Float64Array>(
  Floats: new (length: number) => F,
  parts: readonly F[],
): F {
  const all = new Floats(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
