/** @file What is stored of the rounds of a federation: metrics of its arms, whose steps are rounds. */

export const ROUND_METRICS = {
  /** Clients that answered. */
  clients: 'federation/clients',
  /** Bytes that clients sent, and that they received, in float32. */
  bytesUp: 'federation/bytes-up',
  bytesDown: 'federation/bytes-down',
  /** ‖Σ p_i ΔW_i − ΔW‖/‖Σ p_i ΔW_i‖ over all layers, ΔW as the server has it after the round. */
  bias: 'federation/bias',
  /** Spent so far. */
  epsilon: 'federation/epsilon',
} as const

const OF_LAYER = `${ROUND_METRICS.bias}/`

/** The metric of the bias of one layer. */
export const biasMetric = (layer: string): string => OF_LAYER + layer

/** The layer whose bias a metric holds; undefined for other metrics. */
export const layerOfMetric = (name: string): string | undefined =>
  name.startsWith(OF_LAYER) ? name.slice(OF_LAYER.length) : undefined

/** What ε is, wherever it is shown. */
export const ACCOUNTANT = 'zCDP, upper bound without amplification by sampling'
