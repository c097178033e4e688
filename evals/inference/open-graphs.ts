/** @file The graphs of one model state, each opened when it is first asked for. Each packs the weights for itself. */
import type { Model } from '../models/registry.ts'
import { elementsOfAll } from '../models/weights/stored-weights.ts'
import type { Runner } from '../runtime/session.ts'

interface OpenGraphs<Name> {
  /** Runs `use` on the graph of that name. */
  with<T>(name: Name, use: (runner: Runner) => Promise<T> | T): Promise<T>
  release(): Promise<void>
}

/** @param atMost how many may be open at a time; where one must go for another, what is asked waits its turn */
export function openGraphs<Name>(
  open: (name: Name) => Promise<Runner>,
  atMost = Infinity,
): OpenGraphs<Name> {
  const runners = new Map<Name, Promise<Runner>>()
  let turn: Promise<unknown> = Promise.resolve()

  async function letGo(others: number): Promise<void> {
    for (const [name, runner] of [...runners].slice(0, Math.max(0, runners.size - others))) {
      runners.delete(name)
      await (await runner).release()
    }
  }

  async function used<T>(name: Name, use: (runner: Runner) => Promise<T> | T): Promise<T> {
    if (!runners.has(name)) {
      if (runners.size >= atMost) await letGo(atMost - 1)
      const opened = open(name)
      runners.set(name, opened)
      opened.catch(() => runners.delete(name))
    }
    return use(await runners.get(name)!)
  }

  return {
    with(name, use) {
      if (atMost === Infinity) return used(name, use)
      const next = turn.then(() => used(name, use))
      turn = next.catch(() => undefined)
      return next
    },
    release: () => letGo(0),
  }
}

/** Above so much in float32 a graph is let go before another is opened: to pack again costs seconds, to pack twice memory. */
const LARGE_BYTES = 2 ** 30

/** How many graphs of a state are open at a time, each with packed weights of its own. */
export const openAtOnce = ({ weights }: Model): number =>
  4 * elementsOfAll(weights.values()) > LARGE_BYTES ? 1 : Infinity
