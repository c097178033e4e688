/** @file Places on the axes of a sweep. */

/** "rank 4, seed 1" */
export const placeText = (axes: Readonly<Record<string, number>>) =>
  Object.entries(axes)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')

export const without = (axes: Readonly<Record<string, number>>, axis: string) =>
  Object.fromEntries(Object.entries(axes).filter(([name]) => name !== axis))
