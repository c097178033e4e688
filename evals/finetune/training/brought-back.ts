/** @file Trained numbers of which a device holds the newest: whoever looks at the host's vector has them brought back first. */

const elsewhere = new WeakMap<Float32Array, () => Promise<void>>()

/** Until it is said otherwise, `bringBack` writes the newest numbers into `parameters` and what belongs to them. */
export const keptElsewhere = (
  parameters: Float32Array,
  bringBack: (() => Promise<void>) | undefined,
): void => void (bringBack ? elsewhere.set(parameters, bringBack) : elsewhere.delete(parameters))

/** To be awaited before a state under training is saved, evaluated or shown. */
export const broughtBack = async (parameters: Float32Array): Promise<void> =>
  elsewhere.get(parameters)?.()
