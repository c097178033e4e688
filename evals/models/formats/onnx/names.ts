/**
 * @file Finds the initialisers that are weights, and their names. Exporters that fold a transposition into a linear layer's
 * weight name it `onnx::MatMul_663`; then the node's name identifies the layer.
 */
import type { FileNode, FileTensor, GraphFile } from '../../../graph/import/graph-file.ts'
import { isFloat } from '../../../graph/value.ts'
import type { WeightSpec } from '../../architecture.ts'

export interface NamedWeight {
  readonly initialiser: FileTensor
  readonly spec: WeightSpec
}

/** The matrix of a linear layer: `[in, out]` in a MatMul, `[out, in]` if the node transposes it. */
interface Linear extends Pick<Matrix, 'isTurned'> {
  readonly node: FileNode
}

/** Weights in the file's order; all other initialisers are constants. The layer that computes `logits` is the head. */
export function weightsOf(graph: GraphFile, matrixOf: MatrixOf, logits: string): NamedWeight[] {
  const linears = linearsOf(graph, matrixOf)
  const tables = new Set(
    graph.nodes.flatMap(({ opType, inputs }) => (opType === 'Gather' ? [inputs[0]] : [])),
  )
  const taken = new Set<string>()
  const named: NamedWeight[] = []
  for (const initialiser of graph.initialisers.values()) {
    if (initialiser.dtype === undefined || !isFloat(initialiser.dtype)) continue
    const linear = linears.get(initialiser.name)
    if (!linear && !STANDS_FOR_ITSELF.test(initialiser.name)) continue
    const wanted = linear ? linearName(initialiser.name, linear.node) : initialiser.name
    const name = taken.has(wanted) ? `${initialiser.name}.weight` : wanted
    taken.add(name)
    const spec = specOf(name, initialiser, linear, tables.has(initialiser.name))
    named.push({ initialiser, spec })
  }
  const isHead = ({ initialiser }: NamedWeight) =>
    linears.get(initialiser.name)?.node.outputs.includes(logits) === true
  return withPlaces(named, isHead)
}

const STANDS_FOR_ITSELF = /^(?!onnx::).*\.(?:weight|bias)$/u

/** The initialiser that a node multiplies rows by. */
interface Matrix {
  readonly name: string
  /** Whether the node multiplies by its transpose. */
  readonly isTurned: boolean
}
export type MatrixOf = (node: FileNode) => Matrix | undefined

/** Looks through a Transpose of an initialiser. */
export function matricesOf({ nodes, initialisers }: GraphFile): MatrixOf {
  const isMatrix = (name: string) => initialisers.get(name)?.dims.length === 2
  const turnedBy = new Map(
    nodes.flatMap(({ opType, inputs: [first = ''], outputs }) =>
      opType === 'Transpose' && isMatrix(first) ? [[outputs[0]!, first] as const] : [],
    ),
  )
  return ({ domain, opType, inputs: [, second = ''], attributes }) => {
    if (domain !== '' || (opType !== 'MatMul' && opType !== 'Gemm')) return undefined
    const is = (name: string, usual: number) => (attributes.get(name) ?? usual) === usual
    if (!is('transA', 0) || !is('alpha', 1) || !is('beta', 1)) return undefined
    const isTurned = attributes.get('transB') === 1
    if (isMatrix(second)) return { name: second, isTurned }
    const origin = turnedBy.get(second)
    return origin === undefined ? undefined : { name: origin, isTurned: !isTurned }
  }
}

/** By the first use of each matrix. */
function linearsOf(graph: GraphFile, matrixOf: MatrixOf): ReadonlyMap<string, Linear> {
  const found = new Map<string, Linear>()
  for (const node of graph.nodes) {
    const matrix = matrixOf(node)
    if (matrix && !found.has(matrix.name))
      found.set(matrix.name, { node, isTurned: matrix.isTurned })
  }
  return found
}

/** `/model/layers.0/self_attn/q_proj/MatMul` → `model.layers.0.self_attn.q_proj.weight`. */
function linearName(initialiser: string, { name }: FileNode): string {
  if (STANDS_FOR_ITSELF.test(initialiser))
    return initialiser.replace(/\.MatMul\.weight$/u, '.weight')
  const path = /^\/(?<layer>[\w.]+(?:\/[\w.]+)*)\/(?:MatMul|Gemm)(?:_\d+)?$/u.exec(name)?.groups
  return path ? `${path['layer']!.replaceAll('/', '.')}.weight` : `${initialiser}.weight`
}

function specOf(
  name: string,
  { dims }: FileTensor,
  linear: Linear | undefined,
  isTable: boolean,
): WeightSpec {
  if (isTable) return { name, shape: dims, kind: 'embedding' }
  if (!linear) return { name, shape: dims, kind: name.endsWith('.bias') ? 'bias' : 'norm' }
  const shape = linear.isTurned ? dims : dims.toReversed()
  return { name, shape, kind: 'linear', ...(!linear.isTurned && { transposed: true }) }
}

/**
 * Adds layer and module to linear layers. The head gets none; nor do layers outside numbered blocks, if any are numbered.
 */
function withPlaces(
  named: readonly NamedWeight[],
  isHead: (weight: NamedWeight) => boolean,
): NamedWeight[] {
  const isNumbered = named.some(({ spec }) => spec.kind === 'linear' && LAYER.test(spec.name))
  let count = 0
  return named.map((each) => {
    const { initialiser, spec } = each
    if (spec.kind !== 'linear' || isHead(each)) return each
    const number = LAYER.exec(spec.name)?.groups!['number']
    if (isNumbered && number === undefined) return each
    const module = isNumbered ? spec.name.split('.').at(-2)! : 'linear'
    const layer = isNumbered ? Number(number) : count++
    return { initialiser, spec: { ...spec, layer, module } }
  })
}

const LAYER = /\.(?<number>\d{1,6})\./u
