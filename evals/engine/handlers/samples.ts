/** @file Calls about replies, pairs of replies, and blind labels: raters see neither arm nor judge. */
import { sha256 } from '../../files/digest.ts'
import { differingReplies } from '../../findings/contesting.ts'
import { lastLabels } from '../../findings/gate/people.ts'
import { drawItems } from '../../findings/label-draw.ts'
import { groupJudged } from '../../findings/judged.ts'
import { peopleOf } from '../../findings/judge-quality.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import type { Label } from '../../contract/evidence.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { createPairs } from '../../runs/store/pair-pages.ts'
import type { Home } from '../home.ts'
import { sealedHandlers } from './sealed.ts'

type Labels = EngineHandlers['label']

export function sampleHandlers(home: Home): Pick<EngineHandlers, 'sample' | 'pair'> {
  return {
    sample: {
      ...sealedHandlers(home),
      states: ({ runId }) => home.find(runId).store.pages.states(runId),
      page: (query) => home.find(query.runId).store.pages.samples(query),
    },
    pair: { page: createPairs((runId) => home.find(runId).store) },
  }
}

export function labelHandlers(home: Home): Pick<Labels, 'queue' | 'save'> {
  return {
    queue({ runId, rater, offset, limit, onlyConflicts }) {
      const { store } = home.find(runId)
      const labels = store.evidence.labels(runId)
      const own = labels.filter((each) => each.rater === rater)
      const done = new Set(
        own.filter(({ isSettling }) => isSettling || !onlyConflicts).map(({ item }) => item),
      )
      const said = lastLabels(labels)
      const conflicts = conflictsIn(labels)
      const items = store.evidence
        .labelItems(runId)
        .filter(({ item }) => !onlyConflicts || conflicts.has(item))
        .map((item) => ({ item, isDone: done.has(item.item), place: placeOf(rater, item.item) }))
        .sort((a, b) => Number(a.isDone) - Number(b.isDone) || (a.place < b.place ? -1 : 1))
      const shown = items.slice(offset, offset + limit).map(({ item }) => item)
      return {
        total: items.length,
        left: items.filter(({ isDone }) => !isDone).length,
        tasks: store.pages.readable(runId, shown).map((task) => {
          const words = new Map(said.get(task.item))
          const before = words.get(rater) ?? null
          words.delete(rater)
          return { ...task, said: before, others: onlyConflicts ? [...words.values()] : [] }
        }),
      }
    },
    save({ runId, ...label }) {
      const { evidence } = home.find(runId).store
      if (!evidence.labelItems(runId).some(({ item }) => item === label.item)) {
        throw new TouchstoneError('labels.nothing', { run: runId })
      }
      evidence.keepLabels(runId, [{ ...label, labelledAt: Date.now() }])
      return null
    },
  }
}

/** Heavy: they read the whole run. */
export function labelSummaryHandlers(home: Home): Pick<Labels, 'draw' | 'summary'> {
  return {
    draw({ runId, count, seed, benchmark, onlyDisagreements }) {
      const { store } = home.find(runId)
      const rows = store.rows(runId)
      const known = store.evidence.labelItems(runId)
      const chosen = onlyDisagreements ? differingReplies(rows) : undefined
      const { items } = drawItems(rows, [], known, { count, seed, benchmark, chosen })
      if (items.length === 0) throw new TouchstoneError('interchange.nothing', { run: runId })
      store.evidence.keepLabelItems(runId, items)
      return { items: items.length }
    },
    summary({ runId }) {
      const { store } = home.find(runId)
      const rows = store.rows(runId)
      const people = peopleOf(rows, groupJudged(rows))
      if (!people) throw new TouchstoneError('labels.nothing', { run: runId })
      return people
    },
  }
}

/** A sort key that orders items differently for each rater, so that two tired raters do not end on the same replies. */
const placeOf = (rater: string, item: string) => sha256(`${rater}\u0000${item}`)

/** Items whose blind labels differ between raters. They stay in the queue after they are settled. */
function conflictsIn(labels: readonly Label[]): ReadonlySet<string> {
  const blind = lastLabels(labels.filter(({ isSettling }) => !isSettling))
  const differ = [...blind].filter(([, said]) => new Set(said.values()).size > 1)
  return new Set(differ.map(([item]) => item))
}
