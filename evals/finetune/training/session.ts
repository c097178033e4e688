/** @file The interface of a training session: one micro-batch's loss and gradients, and the parameters at which they are computed. */
import type { Device } from '../../runtime/device.ts'
import type { DeviceMemory, DeviceTensors } from '../../runtime/resident-memory.ts'
import type { Batch, BoundMethod, Layout, Perturbation, Prepared } from '../method.ts'
import type { ParameterTable } from './parameters.ts'

export interface TrainingSession {
  readonly method: BoundMethod
  readonly table: ParameterTable
  readonly layout: Layout
  /** Number of nodes of the graph. */
  readonly nodes: number
  /** Where training started: must be equal on a resume, and is needed for the export. */
  readonly prepared: Prepared
  /** The weights in use: the checkpoint's, with the changes of `prepared`. */
  readonly weights: ReadonlyMap<string, Float32Array>
  /** How many numbers the method keeps between steps. */
  readonly memorySize: number
  readonly parameters: Float32Array
  setParameters(parameters: Float32Array): void
  /** `flat` is `[table.size]`, overwritten by the next call, with zeros for fixed tensors. */
  gradients(
    batch: Batch,
    perturbation?: Perturbation,
  ): Promise<{ loss: number; flat: Float32Array }>
  /** Absent on the CPU, without the addon, and for methods whose steps read parameters or gradients on the host. */
  readonly resident?: ResidentGradients
  /** Frees the graph until gradients are asked for again, so that a state can be asked meanwhile. Absent on a device. */
  rest?(): Promise<void>
  /** Frees the graph; all but `gradients` and `resident` can still be read. A second call does nothing. */
  release(): Promise<void>
}

/** Gradients in the memory of a device. */
export interface ResidentGradients {
  readonly device: Device
  readonly memory: DeviceMemory
  /** Returns the loss of a micro-batch and writes its gradients into `derivatives`, by parameter name. */
  run(batch: Batch, parameters: DeviceTensors, derivatives: DeviceTensors): Promise<number>
}
