/**
 * @file NormalFloat (Dettmers et al. 2023, QLoRA) with scales quantised again, as in LQ-LoRA (Guo et al. 2023, §3): blocks of B₀
 * consecutive numbers, scale = max|w|, code = nearest entry of the codebook (the lower of two); of the scales their minimum is
 * taken off, and blocks of B₁ are stored in b₀ bits with a maximum of b₁ bits each. Bits a number: b + b₀/B₀ + b₁/(B₀·B₁).
 * All arithmetic is in float32, as a graph of ONNX Runtime repeats it (`graph/storage/nf4.ts`).
 */
import { NF4 } from '../../../graph/storage/nf4.ts'
import { normalCodebook } from '../../../statistics/normal-codebook.ts'
import type { Compression } from './compression.ts'

/** How the maximum of a block of scales is stored. */
const TOPS = { float32: 32, float16: 16, bfloat16: 16 } as const

export interface NormalFormat {
  /** b, of a code. */
  readonly bits: number
  /** B₀, numbers that share a scale. */
  readonly block: number
  /** b₀, of a scale; null leaves scales in float32, as bitsandbytes does without nesting. */
  readonly scaleBits: number | null
  /** B₁, scales that share a maximum. */
  readonly scalesBlock: number
  readonly top: keyof typeof TOPS
}

/** QLoRA's, which `nf4`, `nf3` and `nf2` mean. */
export const STANDARD = { ...NF4, scaleBits: 8, top: 'float32' } as const

export const bitsOf = ({ bits, block, scaleBits, scalesBlock, top }: NormalFormat): number =>
  bits + (scaleBits === null ? 32 / block : scaleBits / block + TOPS[top] / (block * scalesBlock))

export const normalFloat = (
  bits: number,
  format: NormalFormat = { ...STANDARD, bits },
): Compression => ({
  name: `nf${bits}`,
  summary: `NormalFloat of ${bits} bits, blocks of ${format.block}, scales in ${format.scaleBits} bits`,
  source: 'Dettmers et al. 2023, section 3; Guo et al. 2023, section 3',
  bits: () => bitsOf(format),
  roundTrip: (weight) => normalValues(normalCodes(weight, format)),
})

/** Codes with exact scales, and what they stand for: bitsandbytes’ form without nested scales. */
export const withExactScales = (
  weight: Float32Array,
  bits: number,
  block: number = STANDARD.block,
) => normalValues(normalCodes(weight, { ...STANDARD, bits, block, scaleBits: null }))

/** Scales as stored: scale = least + code·step, the step of their block of B₁. */
export interface NestedScales {
  readonly codes: Uint8Array
  readonly steps: Float32Array
  readonly least: number
  readonly scalesBlock: number
}

interface NormalCodes {
  readonly format: NormalFormat
  /** One a number. */
  readonly codes: Uint8Array
  readonly scales: NestedScales | Float32Array
}

export function normalCodes(weight: Float32Array, format: NormalFormat): NormalCodes {
  const own = maxima(weight, format.block)
  const scales = format.scaleBits === null ? own : nested(own, format, format.scaleBits)
  return { format, codes: nearest(weight, scalesOf(scales), format), scales }
}

/** Of each block, float32. */
function scalesOf(scales: NormalCodes['scales']): Float32Array {
  if (scales instanceof Float32Array) return scales
  const { codes, steps, least, scalesBlock } = scales
  const out = new Float32Array(codes.length)
  for (let i = 0; i < out.length; i++)
    out[i] = least + Math.fround(codes[i]! * steps[Math.floor(i / scalesBlock)]!)
  return out
}

/** The numbers that are computed with. */
export function normalValues({ format: { bits, block }, codes, scales }: NormalCodes) {
  const codebook = normalCodebook(bits)
  const own = scalesOf(scales)
  const out = new Float32Array(codes.length)
  eachBlock(out.length, block, (at, start, end) => {
    const scale = own[at]!
    for (let i = start; i < end; i++) out[i] = codebook[codes[i]!]! * scale
  })
  return out
}

function eachBlock(
  length: number,
  block: number,
  visit: (at: number, start: number, end: number) => void,
): void {
  for (let at = 0; at * block < length; at++)
    visit(at, at * block, Math.min(length, (at + 1) * block))
}

function maxima(weight: Float32Array, block: number): Float32Array {
  const scales = new Float32Array(Math.ceil(weight.length / block))
  eachBlock(weight.length, block, (at, start, end) => {
    let most = 0
    for (let i = start; i < end; i++) most = Math.max(most, Math.abs(weight[i]!))
    scales[at] = most
  })
  return scales
}

const NARROWED: Readonly<Record<keyof typeof TOPS, (x: number) => number>> = {
  float32: Math.fround,
  float16: Math.f16round,
  bfloat16,
}

/** To 8 bits of mantissa, ties to even. */
function bfloat16(x: number): number {
  const bits = new Uint32Array(Float32Array.of(x).buffer)
  bits[0] = (bits[0]! + 0x7fff + ((bits[0]! >>> 16) & 1)) & 0xffff0000
  return new Float32Array(bits.buffer)[0]!
}

function nested(scales: Float32Array, format: NormalFormat, scaleBits: number): NestedScales {
  const { scalesBlock, top } = format
  const least = scales.reduce((a, b) => Math.min(a, b), Infinity)
  const levels = 2 ** scaleBits - 1
  const tops = maxima(
    scales.map((scale) => scale - least),
    scalesBlock,
  )
  const steps = tops.map((each) => NARROWED[top](each) / levels)
  const codes = new Uint8Array(scales.length)
  for (let i = 0; i < codes.length; i++) {
    const step = steps[Math.floor(i / scalesBlock)]!
    if (step > 0) codes[i] = Math.min(levels, Math.round((scales[i]! - least) / step))
  }
  return { codes, steps, least, scalesBlock }
}

/** Cells from −1 to 1 by which a code is looked up; several lie between two neighbours of a codebook. */
const CELLS = 1024

function nearest(weight: Float32Array, scales: Float32Array, { bits, block }: NormalFormat) {
  const codebook = normalCodebook(bits)
  const middles = new Float64Array(codebook.length).fill(Infinity)
  for (let i = 1; i < codebook.length; i++) middles[i - 1] = (codebook[i - 1]! + codebook[i]!) / 2
  // Middles below the cell before, so that rounding into a cell does no harm.
  const firsts = Uint8Array.from({ length: CELLS }, (_, cell) =>
    middles.findIndex((middle) => middle >= (2 * (cell - 1)) / CELLS - 1),
  )
  const codes = new Uint8Array(weight.length).fill(codebook.indexOf(0))
  eachBlock(weight.length, block, (at, start, end) => {
    const scale = scales[at]!
    if (scale === 0) return
    for (let i = start; i < end; i++) {
      const x = weight[i]! / scale
      const cell = ((x + 1) * CELLS) / 2
      // The number of middles below x.
      let code = firsts[cell > 0 ? (cell < CELLS ? cell | 0 : CELLS - 1) : 0]!
      while (x > middles[code]!) code++
      codes[i] = code
    }
  })
  return codes
}
