/** @file The graphs of one model state, each opened on first use and with its own packed weights. */
import type { Model } from '../models/registry.ts'
import { elementsOfAll } from '../models/weights/stored-weights.ts'
import type { Runner } from '../runtime/session.ts'

interface OpenGraphs<Name> {
  /** Runs `use` on the named graph. */
  with<T>(name: Name, use: (runner: Runner) => Promise<T> | T): Promise<T>
  release(): Promise<void>
}

/** @param atMost how many may be open at a time; beyond it, requests run one after another */
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

/**
 * Float32 size above which one graph is closed before the next is opened: packing again costs seconds, packing twice costs
 * memory.
 */
const LARGE_BYTES = 2 ** 30

/** How many graphs of a model may be open at a time. */
export const openAtOnce = ({ weights }: Model): number =>
  4 * elementsOfAll(weights.values()) > LARGE_BYTES ? 1 : Infinity
