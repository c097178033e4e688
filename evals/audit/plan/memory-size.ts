/** @file How an amount of memory is written: `4GB`, `512MiB`, `1.5 GiB`. */

const SIZE = /^(\d+(?:\.\d+)?)\s*(k|m|g|t)(i?)b$/iu
const POWERS = ['k', 'm', 'g', 't']

export const isSize = (text: string): boolean => SIZE.test(text.trim())

/** In bytes; GB is 10⁹ and GiB 2³⁰. */
export function bytesOfSize(text: string): number {
  const found = SIZE.exec(text.trim())
  if (!found) throw new Error(`internal: "${text}" is no amount of memory`)
  const [, amount, unit, binary] = found
  return Number(amount) * (binary ? 1024 : 1000) ** (1 + POWERS.indexOf(unit!.toLowerCase()))
}
