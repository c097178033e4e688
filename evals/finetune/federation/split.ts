/** @file Which rows each client holds, and which clients take part in a round: functions of the seed. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { chiSquare, randomStream } from '../../statistics/random.ts'

/** Draws of a split, until every client holds a row. */
const MOST_DRAWS = 1000

/** Shuffled and dealt: numbers of rows differ by at most one. Row numbers by client, ascending. */
export function splitEvenly(rows: number, clients: number, seed: number): number[][] {
  requireRows(rows, clients)
  const order = randomStream(seed, 'federation:rows').shuffle([...Array(rows).keys()])
  return Array.from({ length: clients }, (_, client) =>
    order.filter((_, at) => at % clients === client).sort((a, b) => a - b),
  )
}

/**
 * The rows of each group go to clients with probabilities drawn from a symmetric Dirichlet(α) distribution (Hsu et al. 2019):
 * small α gives clients that hold few groups each. Drawn again until every client holds a row.
 */
export function splitByGroup(
  groups: readonly string[],
  clients: number,
  alpha: number,
  seed: number,
): number[][] {
  requireRows(groups.length, clients)
  const stream = randomStream(seed, 'federation:groups')
  const rowsOf = [...Map.groupBy(groups.keys(), (row) => groups[row]!).values()]
  for (let draw = 0; draw < MOST_DRAWS; draw++) {
    const split = Array.from({ length: clients }, (): number[] => [])
    for (const rows of rowsOf) {
      const shares = dirichlet(clients, alpha, stream)
      for (const row of rows) split[drawn(shares, stream.uniform())]!.push(row)
    }
    if (split.every(({ length }) => length > 0))
      return split.map((own) => own.sort((a, b) => a - b))
  }
  throw new TouchstoneError('federation.empty-client', { clients, alpha, groups: rowsOf.length })
}

function requireRows(rows: number, clients: number): void {
  if (rows < clients) throw new TouchstoneError('federation.few-rows', { clients, rows })
}

/** Gamma(α) variates over their sum; all to one client where every variate is below the smallest number. */
function dirichlet(
  count: number,
  alpha: number,
  stream: Parameters<typeof chiSquare>[1] & { readonly integer: (n: number) => number },
): number[] {
  const gammas = Array.from({ length: count }, () => chiSquare(2 * alpha, stream) / 2)
  const sum = gammas.reduce((total, gamma) => total + gamma, 0)
  if (sum > 0) return gammas.map((gamma) => gamma / sum)
  const only = stream.integer(count)
  return gammas.map((_, client) => Number(client === only))
}

/** The index at which the sum of shares first exceeds `u`. */
function drawn(shares: readonly number[], u: number): number {
  let sum = 0
  const at = shares.findIndex((share) => (sum += share) > u)
  return at === -1 ? shares.findLastIndex((share) => share > 0) : at
}

interface Attendance {
  /** Clients that receive the server's adapter, ascending. */
  readonly asked: readonly number[]
  /** Those of them that answer. */
  readonly answered: readonly number[]
}

export interface Attending {
  readonly clients: number
  /** Clients asked in each round. */
  readonly sampled: number
  /** Probability that a client that was asked does not answer. */
  readonly dropout: number
}

/** @param round from 0 */
export function attendance(
  { clients, sampled, dropout }: Attending,
  round: number,
  seed: number,
): Attendance {
  const stream = randomStream(seed, `federation:round ${round}`)
  const order = stream.shuffle([...Array(clients).keys()])
  const asked = order.slice(0, sampled).sort((a, b) => a - b)
  return { asked, answered: asked.filter(() => stream.uniform() >= dropout) }
}
