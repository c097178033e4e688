/**
 * @file `node test/bench/limit/by-processor.ts`: steps beside PyTorch's and beside the machine's own products, by class of processor, as a
 * Markdown table from every committed result at 30 layers (`peers-*.json` of bench:peers, `limit-*.json` of this folder's bench). No class is left out.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { FULL_SIZE_LAYERS } from '../harness/works.ts'
import { print } from '../harness/peak.ts'

const RESULTS = join(import.meta.dirname, '../results')
const WORKS = ['lora-step', 'full-step', 'full-step-plain'].flatMap((name) => [
  name,
  `${name}-compile`,
  `${name}-bf16`,
])

const Spread = z.object({ median: z.number() })
const Peers = z.object({
  layers: z.number(),
  results: z.array(
    z.object({
      work: z.string(),
      arithmetic: z.string().optional(),
      speed: z.object({
        ours: Spread,
        torch: Spread,
        ratio: z.object({ median: z.number(), lower: z.number(), upper: z.number() }),
      }),
    }),
  ),
})
const Limit = z.object({
  layers: z.number(),
  results: z.array(z.object({ name: z.string(), ms: Spread, ofPeak: z.number() })),
})

/** By the name of the file, as results were committed before they named their instructions. */
export function classOf(file: string): string {
  if (file.includes('avx512-amd')) return 'AMD EPYC (family 26), AVX-512'
  if (!file.includes('intel')) return 'AMD EPYC (family 25), AVX2'
  return file.includes('as-avx2')
    ? 'Intel Xeon (family 6), ONNX Runtime held to AVX2'
    : 'Intel Xeon (family 6), AVX-512'
}

export interface Row {
  readonly processor: string
  readonly work: string
  readonly file: string
  readonly text: string
}

const milliseconds = (ms: number) => `${ms.toFixed(0)} ms`

function rowsOf(file: string): Row[] {
  const content: unknown = JSON.parse(readFileSync(join(RESULTS, file), 'utf8'))
  const shared = { processor: classOf(file), file }
  const peers = Peers.safeParse(content)
  if (file.startsWith('peers-') && peers.data?.layers === FULL_SIZE_LAYERS)
    return peers.data.results.map(({ work, arithmetic = 'typescript', speed }) => {
      const { ours, torch, ratio } = speed
      const times = `${milliseconds(ours.median)} | ${milliseconds(torch.median)}`
      const interval = `${ratio.median.toFixed(2)} [${ratio.lower.toFixed(2)}, ${ratio.upper.toFixed(2)}]`
      return { ...shared, work, text: `${arithmetic} | ${times} | ${interval} | – ` }
    })
  const limit = Limit.safeParse(content)
  if (!file.startsWith('limit-') || limit.data?.layers !== FULL_SIZE_LAYERS) return []
  return limit.data.results.map(({ name, ms, ofPeak }) => ({
    ...shared,
    work: name,
    text: `– | ${milliseconds(ms.median)} | – | – | ${(100 * ofPeak).toFixed(0)} % `,
  }))
}

/** Classes in order, and within each the works. */
export function tableOf(rows: readonly Row[]): string[] {
  const chosen = rows
    .filter(({ work }) => WORKS.includes(work))
    .toSorted(
      (a, b) =>
        a.processor.localeCompare(b.processor) ||
        WORKS.indexOf(a.work) - WORKS.indexOf(b.work) ||
        a.file.localeCompare(b.file),
    )
  return [
    '| Processor | Work | Ours computed in | Ours | PyTorch | PyTorch / ours [95 %] | Of the best rate | Result |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...chosen.map(
      ({ processor, work, file, text }) => `| ${processor} | \`${work}\` | ${text}| \`${file}\` |`,
    ),
  ]
}

if (import.meta.main) {
  const files = readdirSync(RESULTS).filter((name) =>
    /^(?:peers|limit)-(?!.*cuda).*\.json$/u.test(name),
  )
  print(tableOf(files.flatMap(rowsOf)).join('\n'))
}
