/** @file What is stored of a state from which channels were cut: a metric at each evaluated step. */

/** Share of the numbers of the blocks' linear layers that is gone. */
export const PRUNED_SHARE = 'pruned/share'
