/** @file How much memory model states may take beside each other; the plan of a run, which opens no runtime, counts with the same numbers. */

/**
 * Float32 size from which a model makes room for another, and training for the state that is asked: packing again takes a second, and
 * staying open as much memory.
 */
export const ROOM_BYTES = 2 ** 28

/** Scored tokens of a run: each has a row of logits as long as the vocabulary, and another of their softmax. */
export const SCORED_ROWS = 256
