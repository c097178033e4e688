/** @file What is stored of the direction of refusal along a training, and of benign fine-tunes beside it. */

export const DIRECTION_METRICS = {
  /** Of the base's direction with the state's, at the chosen place. */
  cosine: 'direction/cosine',
  /** ‖r‖ over the base's. */
  strength: 'direction/strength',
  /** Difference of both kinds' mean projections on the base's direction, over the base's. */
  gap: 'direction/gap',
  /** Of a benign fine-tune (`benignArm`). */
  shared: 'direction/shared',
  left: 'direction/left',
} as const

export const benignArm = (method: string): string => `benign:${method}`
