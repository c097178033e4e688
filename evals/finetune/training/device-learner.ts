/**
 * @file Training in a device's memory: parameters, gradients and moments stay there from the first step to the last. A step
 * returns its loss and the squares of its gradient's norm. `deviceResident.syncToHost` of the state copies values to the host.
 */
import { free, type DeviceMemory, type DeviceTensors } from '../../runtime/resident-memory.ts'
import type { Device } from '../../runtime/device.ts'
import type { Runner } from '../../runtime/session.ts'
import type { Feeds, Memories } from '../../runtime/tensor.ts'
import type { Learner, LearnerOptions } from './learner.ts'
import type { Batch } from '../method.ts'
import { isTrained, namedViews, type ParameterTable } from './parameters.ts'
import type { ResidentGradients } from './session.ts'
import type { DeviceResident, TrainingState } from './state.ts'
import {
  openAdamW,
  openSquares,
  openSum,
  renewed,
  sumFeeds,
  type AdamWGraph,
  type Moved,
} from './update-graphs.ts'

/** Tensors on the device, by parameter name; of trained parameters unless stated otherwise. */
interface Placed {
  readonly p: DeviceTensors
  readonly m: DeviceTensors
  readonly v: DeviceTensors
  /** The step's gradient. */
  readonly sum: DeviceTensors
  /** The last micro-batch's gradient, if a step has several. */
  readonly last: DeviceTensors
  /** Fixed parameters. */
  readonly fixed: DeviceTensors
}

interface Graphs {
  readonly squares: Runner
  readonly adamW: AdamWGraph
  /** Present if a step has several micro-batches. */
  readonly sum: Runner | undefined
}

export async function openDeviceLearner(
  state: TrainingState,
  resident: ResidentGradients,
  options: LearnerOptions,
): Promise<Learner> {
  const { table } = options.session
  const graphs = await openGraphs(table, resident.device, options)
  const placed = await place(table, state, resident.memory, options).catch(
    async (error: unknown) => {
      await releaseGraphs(graphs)
      throw error
    },
  )
  const learner = new DeviceLearner(state, resident, options, { graphs, placed })
  state.deviceResident = learner
  return learner
}

class DeviceLearner implements Learner, DeviceResident {
  readonly #state: TrainingState
  readonly #resident: ResidentGradients
  readonly #options: LearnerOptions
  readonly #placed: Placed
  readonly #graphs: Graphs
  /** Micro-batches of the current step. */
  #added = 0
  /** Whether the device's values are newer than the host's. */
  #isAhead = false
  /** After a failure, the values on the device may be incomplete. */
  #hasFailed = false

  constructor(
    state: TrainingState,
    resident: ResidentGradients,
    options: LearnerOptions,
    { graphs, placed }: { graphs: Graphs; placed: Placed },
  ) {
    this.#state = state
    this.#resident = resident
    this.#options = options
    this.#graphs = graphs
    this.#placed = placed
  }

  add(batch: Batch): Promise<number> {
    return this.#tried(async () => {
      const { p, fixed, sum, last } = this.#placed
      const isFirst = this.#added++ === 0
      const loss = await this.#resident.run(batch, { ...p, ...fixed }, isFirst ? sum : last)
      if (!isFirst) {
        const own = named('sum', sum)
        await this.#graphs.sum!.run({ ...sumFeeds, ...own, ...named('g', last) }, asNew(own))
      }
      return loss
    })
  }

  norm(): Promise<number> {
    return this.#tried(async () => {
      this.#added = 0
      const { squares } = await this.#graphs.squares.run(named('g', this.#placed.sum))
      const parts = Float64Array.from(squares!.data as Float32Array)
      return Math.sqrt(parts.reduce((total, part) => total + part, 0))
    })
  }

  update(learningRate: number, gradientScale: number): Promise<void> {
    return this.#tried(async () => {
      const { adamW } = this.#graphs
      const { p, m, v, sum } = this.#placed
      const own = { ...named('p', p), ...named('m', m), ...named('v', v) }
      const t = this.#state.step + 1
      const scalars = adamW.feeds(this.#options.config, t, learningRate, gradientScale)
      await adamW.runner.run({ ...scalars, ...own, ...named('g', sum) }, asNew(own))
      this.#state.step = t
      this.#isAhead = true
    })
  }

  async gradient(): Promise<Float32Array> {
    const { table } = this.#options.session
    const flat = new Float32Array(table.size)
    await this.#resident.memory.read(this.#placed.sum, viewsOf(table, flat, isTrained))
    return flat
  }

  async syncToHost(): Promise<void> {
    if (!this.#isAhead) return
    await this.#tried(async () => {
      const { parameters, firstMoment, secondMoment } = this.#state
      const { p, m, v } = this.#placed
      const { memory } = this.#resident
      const here = (flat: Float32Array) => viewsOf(this.#options.session.table, flat, isTrained)
      await memory.read(p, here(parameters))
      await memory.read(m, here(firstMoment))
      await memory.read(v, here(secondMoment))
      this.#isAhead = false
    })
  }

  async close(): Promise<void> {
    try {
      if (!this.#hasFailed) await this.syncToHost()
    } finally {
      delete this.#state.deviceResident
      Object.values(this.#placed).forEach(free)
      await releaseGraphs(this.#graphs)
    }
  }

  async #tried<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      this.#hasFailed = true
      throw error
    }
  }
}

async function openGraphs(
  { slices }: ParameterTable,
  device: Device,
  { config, groups }: LearnerOptions,
): Promise<Graphs> {
  const moved = slices.flatMap((slice, i): Moved[] =>
    isTrained(slice) ? [{ ...groups[i]!, slice }] : [],
  )
  return {
    squares: await openSquares(moved, device),
    adamW: await openAdamW(moved, device),
    sum: config.gradientAccumulationSteps > 1 ? await openSum(moved, device) : undefined,
  }
}

async function releaseGraphs({ squares, adamW, sum }: Graphs): Promise<void> {
  for (const runner of [squares, adamW.runner, sum]) await runner?.release()
}

/** Frees the tensors already placed if a later one does not fit. */
async function place(
  table: ParameterTable,
  { parameters, firstMoment, secondMoment }: TrainingState,
  memory: DeviceMemory,
  { config }: LearnerOptions,
): Promise<Placed> {
  const done: DeviceTensors[] = []
  const placed = async (feeds: Feeds) => {
    const tensors = await memory.place(feeds)
    done.push(tensors)
    return tensors
  }
  const trained = (flat: Float32Array) => placed(viewsOf(table, flat, isTrained))
  const nothing = new Float32Array(table.size)
  try {
    return {
      p: await trained(parameters),
      m: await trained(firstMoment),
      v: await trained(secondMoment),
      sum: await trained(nothing),
      last: config.gradientAccumulationSteps > 1 ? await trained(nothing) : {},
      fixed: await placed(viewsOf(table, parameters, (slice) => !isTrained(slice))),
    }
  } catch (error) {
    done.forEach(free)
    throw error
  }
}

/** Tensors of the table as views into `flat`, by name. */
function viewsOf(
  table: ParameterTable,
  flat: Float32Array,
  isWanted: (slice: ParameterTable['slices'][number]) => boolean,
): Feeds {
  const views = namedViews(table, flat)
  return Object.fromEntries(
    table.slices.filter(isWanted).map(({ name }) => {
      const { data, shape } = views.get(name)!
      return [name, { data, dims: shape }]
    }),
  )
}

/** The input names of `update-graphs.ts`. */
const named = (kind: string, tensors: DeviceTensors): DeviceTensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, each]) => [`${kind}:${name}`, each]))

const asNew = (tensors: DeviceTensors): Memories =>
  Object.fromEntries(Object.entries(tensors).map(([name, each]) => [renewed(name), each]))
