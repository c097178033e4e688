/**
 * @file The files of a federated arm: the server's state after the last finished round, and what clients have sent in the running
 * one. A client reads the first and writes the second, in this process or another.
 */
import { join } from 'node:path'
import { exists } from '../../files/read-file.ts'
import { LORA_A, LORA_B } from '../../finetune/methods/low-rank.ts'
import { loadParameters, saveParameters } from '../../finetune/training/state.ts'
import { parameterTable, type ParameterTable } from '../../finetune/training/parameters.ts'
import { readSafetensorsIndex } from '../../models/formats/safetensors.ts'
import { statePathIn } from '../arm.ts'
import type { FederatedArm } from './federation-plan.ts'
import { joined } from '../../models/weights/joined.ts'

/** The server's state after `round` rounds. */
export interface ServerState {
  readonly round: number
  /** Every tensor of the adapter, `[table.size]`. */
  readonly parameters: Float32Array
  /** Weights of the base into which adapters were stacked, by name. */
  readonly moved: ReadonlyMap<string, Float32Array>
}

/** What a client sends: its adapter, and the mean loss of its steps, nats a token. */
export interface Sent {
  readonly parameters: Float32Array
  readonly loss: number
}

export const clientsFolder = (folder: string): string => join(folder, 'clients')

const sentPath = (folder: string, round: number, client: number): string =>
  join(clientsFolder(folder), `round-${round}-client-${client}.safetensors`)

/** Fields that must be equal in a file for the arm to go on with it. */
export function identityOf({ base, plan, federation }: FederatedArm, round: number) {
  const { strategy, clients, privacy, rounds, localSteps, sampled, dropout } = federation
  const methods = clients.map(({ method }) => method.settings)
  const own = [strategy.settings, methods, plan.training, privacy]
  return {
    base: base.digest,
    strategy: strategy.name,
    configuration: JSON.stringify([...own, rounds, localSteps, sampled, dropout]),
    seed: String(plan.seed),
    data: plan.dataDigest,
    round: String(round),
  }
}

/** Names of the layers below an adapter, in the order of the table. */
export const layerNames = ({ slices }: ParameterTable): string[] =>
  slices.flatMap(({ name }) => (name.endsWith(LORA_A) ? [name.slice(0, -LORA_A.length - 1)] : []))

/** The table of an adapter of another rank. */
export const tableAtRank = ({ slices }: ParameterTable, rank: number): ParameterTable =>
  parameterTable(
    slices.map((slice) => {
      const [first, second] = slice.shape as [number, number]
      if (slice.name.endsWith(LORA_A)) return { ...slice, shape: [rank, second] }
      return slice.name.endsWith(LORA_B) ? { ...slice, shape: [first, rank] } : slice
    }),
  )

const movedNames = ({ federation, table }: FederatedArm): string[] =>
  federation.strategy.stacks ? layerNames(table).map((name) => `${name}.weight`) : []

/** The parameters, then the moved weights. */
export const saveServer = (
  arm: FederatedArm,
  { round, parameters, moved }: ServerState,
): Promise<void> =>
  saveParameters(
    statePathIn(arm.folder),
    joined(Float32Array, [parameters, ...movedNames(arm).map((name) => moved.get(name)!)]),
    identityOf(arm, round),
  )

/** The saved state; undefined before the first. Throws `training.resume-mismatch` where it belongs to another run. */
export async function loadServer(arm: FederatedArm): Promise<ServerState | undefined> {
  const path = statePathIn(arm.folder)
  if (!(await exists(path))) return undefined
  const { metadata } = await readSafetensorsIndex(path)
  const round = Number(metadata.get('round'))
  const names = movedNames(arm)
  const sizes = names.map((name) => arm.base.model.weights.get(name)!.shape.reduce((a, b) => a * b))
  const size = sizes.reduce((sum, length) => sum + length, arm.table.size)
  const flat = await loadParameters(path, identityOf(arm, round), size)
  let at = arm.table.size
  const moved = names.map((name, i) => [name, flat.slice(at, (at += sizes[i]!))] as const)
  return { round, parameters: flat.slice(0, arm.table.size), moved: new Map(moved) }
}

/** The parameters, and after them the loss. */
export const saveSent = (
  arm: FederatedArm,
  round: number,
  client: number,
  { parameters, loss }: Sent,
): Promise<void> =>
  saveParameters(
    sentPath(arm.folder, round, client),
    joined(Float32Array, [parameters, Float32Array.of(loss)]),
    identityOf(arm, round),
  )

export async function loadSent(arm: FederatedArm, round: number, client: number): Promise<Sent> {
  const { size } = tableAtRank(arm.table, arm.federation.clients[client]!.rank)
  const path = sentPath(arm.folder, round, client)
  const flat = await loadParameters(path, identityOf(arm, round), size + 1)
  return { parameters: flat.slice(0, size), loss: flat[size]! }
}

export const isSent = ({ folder }: FederatedArm, round: number, client: number): Promise<boolean> =>
  exists(sentPath(folder, round, client))
