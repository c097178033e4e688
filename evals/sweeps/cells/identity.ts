/** @file Digests of what a cell's numbers depend on beside its spec. */
import { benchmarkRow, type EvaluationPlan } from '../../measure/evaluate.ts'
import type { Base } from '../../measure/base.ts'
import type { TrainingData } from '../../measure/sources.ts'
import type { CellIdentity } from '../../contract/sweeps.ts'
import { onnxRuntimeVersion } from '../../runtime/device.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { sha256 } from '../../files/digest.ts'
import type { AnyTestbed } from '../testbeds/testbed.ts'

/** Raised with every change that alters the numbers of the same cell. */
const ENGINE = 3

export const modelDigest = ({ digest, open }: Pick<Base, 'digest' | 'open'>): string =>
  sha256(canonicalJson([digest, open.tokenizer.digest, open.template.digest]))

export const dataDigest = ({ conversations }: Pick<TrainingData, 'conversations'>): string =>
  sha256(canonicalJson(conversations))

export const promptsDigest = ({
  benchmarks,
  neutral,
}: Pick<EvaluationPlan, 'benchmarks' | 'neutral'>): string =>
  sha256(canonicalJson([benchmarks.map(benchmarkRow), neutral]))

/** Kernels differ between versions of ONNX Runtime and between processors' families. */
export const engineNumerics = (): string =>
  `touchstone ${ENGINE}, onnxruntime ${onnxRuntimeVersion()}, ${process.platform}-${process.arch}`

/** A testbed's own version changes when its numbers do; one that trains side by side or by methods does it on the engine. */
export const testbedIdentity = ({ name, version, together, tunes }: AnyTestbed): CellIdentity => ({
  base: null,
  data: null,
  prompts: null,
  numerics: `${name} ${version}${together || tunes ? `, ${engineNumerics()}` : ''}`,
})
