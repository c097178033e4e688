/**
 * @file A mean over values that depend on each other within clusters, such as prompts of one template.
 *
 * e_g = Σ over cluster g of (x − x̄), n_g its size, n = Σ n_g. The variance of x̄ is CR2, Σ_g e_g²/(1 − n_g/n)/n² (Bell and
 * McCaffrey, Survey Methodology 28 (2002)), for clusters of one value s²/n; its degrees of freedom are Satterthwaite's, with
 * u_g = n_g²/(n²(1 − n_g/n)): 1/(Σ n_g²/n² + (Σu)² − Σu²), which is G − 1 for G equal clusters (Imbens and Kolesár, Review of
 * Economics and Statistics 98 (2016)). ICC is the estimate of the analysis of variance, (B − W)/(B + (m − 1)W), with mean
 * squares between and within, and m = (n − Σ n_g²/n)/(G − 1) (Donner, International Statistical Review 54 (1986)). The variance
 * that counts is the larger of CR2 and of that model's, Σ (n_g W + n_g² max(0, (B − W)/m))/n²: CR2 is far too small where the few
 * large clusters happen to be unharmed, and the model knows from the small ones how alike prompts of a cluster are.
 */
import { studentQuantile } from './student.ts'
import { meanOf } from './summary.ts'

interface ClusteredMean {
  readonly mean: number
  /** The larger of `cr2` and the variance of the model. */
  readonly variance: number
  readonly cr2: number
  readonly clusters: number
  /** Kish's effective number, n²/Σ n_g²: how many values tell as much where those of a cluster are all alike. */
  readonly atLeast: number
  readonly degrees: number
  /** Intra-cluster correlation; null where no cluster has two values or nothing varies. */
  readonly icc: number | null
}

/** Sums by cluster in the order of first appearance, and sizes. */
export function clusterSums(values: readonly number[], clusters: readonly string[]) {
  const sums = new Map<string, { sum: number; size: number }>()
  values.forEach((value, i) => {
    const own = sums.get(clusters[i]!) ?? { sum: 0, size: 0 }
    sums.set(clusters[i]!, { sum: own.sum + value, size: own.size + 1 })
  })
  return [...sums.values()]
}

const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0)

/** `clusters[i]` names the cluster of `values[i]`. Null with fewer than two clusters. */
export function clusteredMean(
  values: readonly number[],
  clusters: readonly string[],
): ClusteredMean | null {
  const groups = clusterSums(values, clusters)
  if (groups.length < 2) return null
  const n = values.length
  const mean = meanOf(values)
  const squares = groups.map(({ sum, size }) => (sum - size * mean) ** 2 / (1 - size / n))
  const shares = groups.map(({ size }) => (size / n) ** 2)
  const u = groups.map(({ size }, g) => shares[g]! / (1 - size / n))
  const spread = total(shares) + total(u) ** 2 - total(u.map((value) => value * value))
  const cr2 = total(squares) / (n * n)
  const { icc, modelled } = componentsOf(values, groups, mean)
  return {
    mean,
    variance: Math.max(cr2, modelled),
    cr2,
    clusters: groups.length,
    atLeast: (n * n) / total(groups.map(({ size }) => size * size)),
    degrees: 1 / spread,
    icc,
  }
}

function componentsOf(
  values: readonly number[],
  groups: readonly { readonly sum: number; readonly size: number }[],
  mean: number,
): { icc: number | null; modelled: number } {
  const [n, G] = [values.length, groups.length]
  if (n === G) return { icc: null, modelled: 0 }
  const between = total(groups.map(({ sum, size }) => size * (sum / size - mean) ** 2))
  const within = total(values.map((value) => (value - mean) ** 2)) - between
  const [B, W] = [between / (G - 1), within / (n - G)]
  const m = (n - total(groups.map(({ size }) => size * size)) / n) / (G - 1)
  const alike = Math.max(0, (B - W) / m)
  const modelled = total(groups.map(({ size }) => size * W + size * size * alike)) / (n * n)
  return { icc: B + W < NO_SQUARES ? null : (B - W) / (B + (m - 1) * W), modelled }
}

/** A smaller sum of squares is rounding: means of at most 10⁵ replies differ by 10⁻⁵ or not at all. */
const NO_SQUARES = 1e-12

/**
 * The number of independent observations with `variance` each that tell as much as the mean, between `atLeast` and `most`. As a
 * variance from few clusters is uncertain, it is multiplied by (z/t)² (Korn and Graubard, Survey Methodology 24 (1998)).
 */
export function effectiveNumber(
  variance: number,
  { variance: ofMean, atLeast, degrees, clusters }: ClusteredMean,
  { observations, most }: { readonly observations: number; readonly most: number },
): number {
  if (ofMean * observations * observations <= NO_SQUARES) return atLeast
  const isClustered = clusters < observations
  const correction = isClustered ? (Z / studentQuantile(0.975, degrees)) ** 2 : 1
  return Math.min(most, Math.max(atLeast, (variance / ofMean) * correction))
}

const Z = 1.959964
