/** @file `touchstone merge`: one adapter of several, and a statement of what it was made of. */
import { basename, join } from 'node:path'
import { z } from 'zod'
import { markException } from '../../../arms/weights-exception.ts'
import { mergeAdapters, type MergedLayer, type Source } from '../../../finetune/merging/merge.ts'
import type { Merging } from '../../../finetune/merging/merging.ts'
import { findMerging, MERGINGS } from '../../../finetune/merging/registry.ts'
import { counted, percent } from '../../../contract/words.ts'
import { plainText } from '../../../document/plain-text.ts'
import { TouchstoneError, usageError } from '../../../errors/touchstone-error.ts'
import { exists } from '../../../files/read-file.ts'
import { writeAtomically } from '../../../files/write-file.ts'
import { peftDigest, readPeftFolder, writePeftFolder } from '../../../models/formats/peft-folder.ts'
import { acceptExceptions } from '../../../runs/kept-exception.ts'
import { reason, text } from '../../../runs/options/common.ts'
import { version } from '../../../runs/version.ts'
import { command } from '../../command.ts'

const MergeOptions = z.object({
  how: text.meta({ help: `The way of merging: ${MERGINGS.map(({ name }) => name).join(', ')}` }),
  weights: z
    .array(z.number())
    .default([])
    .meta({ help: 'One number of 0 or more an adapter; 1 each or 1/n without, by the way' }),
  rank: z.int().min(1).nullable().default(null).meta({
    help: 'Rank of the result, for ways that cut; the largest of the adapters’ without',
  }),
  density: z
    .number()
    .gt(0)
    .max(1)
    .nullable()
    .default(null)
    .meta({ help: 'Share of numbers that ties and dare keep; 0.5 without' }),
  outputReweighting: z
    .boolean()
    .default(false)
    .meta({ help: 'LEGO: multiply the result by √(mean rank of the adapters / its own)' }),
  seed: z.int().min(0).default(0).meta({ help: 'Seed of the ways that draw' }),
  peftCompat: z
    .boolean()
    .default(false)
    .meta({ help: 'Compute what PEFT’s add_weighted_adapter computes, cross terms included' }),
  sameBase: z
    .boolean()
    .default(false)
    .meta({ help: 'The adapters are of one base, although they name two' }),
  output: text.meta({ help: 'The adapter folder to write', short: 'o', value: 'PATH' }),
  accept: reason.nullable().default(null).meta({
    help: 'Why weights are merged that should have been deleted; it is logged with their run',
    value: 'REASON',
    once: true,
  }),
})
type Options = z.infer<typeof MergeOptions>

/** The file beside a merged adapter that says what it was made of. */
const STATEMENT = 'merge.json'

export const mergeCommand = command({
  schema: MergeOptions,
  positionals: 'ADAPTER ADAPTER …',
  examples: [
    'touchstone merge ./polite ./german --how svd --rank 16 -o merged',
    'touchstone merge ./polite ./german --how ties --weights 1,0.5 --density 0.3 -o merged',
    'touchstone merge ./a ./b ./c --how lego --rank 8 -o merged',
  ],
  remark:
    'Ways that cut to a rank say what the cut lost. merge.json in the folder names every adapter by its digest, with\nits weight. A merged adapter is measured like any other, by touchstone eval with --candidate.',
  async run({ options, named, tell }) {
    const way = findMerging(options.how)
    requireRead(way, options)
    const weights = weightsOf(way, named, options.weights)
    if (await exists(join(options.output, 'adapter_config.json'))) {
      throw new TouchstoneError('merge.exists', { path: options.output })
    }
    const exception = await acceptExceptions(named, options.accept)
    const folders = await Promise.all(named.map((path) => readPeftFolder(path)))
    const sources = folders.map((folder, i): Source => ({
      path: named[i]!,
      folder,
      weight: weights[i]!,
    }))
    const density = options.density ?? 0.5
    const { folder, layers } = mergeAdapters(sources, { ...options, way, density })
    await markException(options.output, exception)
    await writePeftFolder(options.output, folder)
    const statement = await statementOf(sources, layers, { ...options, density })
    await writeAtomically(join(options.output, STATEMENT), [
      `${JSON.stringify(statement, null, 2)}\n`,
    ])
    tell({ path: options.output, ...statement }, wordsOf(options.output, statement))
  },
})

/** An option that the way does not read was a slip. */
function requireRead(way: Merging, { rank, density, outputReweighting }: Options): void {
  const given = {
    rank: rank !== null,
    density: density !== null,
    outputReweighting,
  }
  for (const name of ['rank', 'density', 'outputReweighting'] as const) {
    if (!given[name] || way.reads.includes(name)) continue
    const flag = name === 'outputReweighting' ? 'output-reweighting' : name
    throw usageError(
      `--how ${way.name} does not read --${flag}.`,
      'Leave it out, or choose another way.',
    )
  }
}

function weightsOf(way: Merging, named: readonly string[], given: readonly number[]): number[] {
  if (named.length < 2) {
    throw usageError('Fewer than two adapters are named.', 'Name the folders of two or more.')
  }
  const same = way.defaultWeights === 'sum' ? 1 : 1 / named.length
  const weights = given.length === 0 ? named.map(() => same) : [...given]
  const isUsable = weights.length === named.length && weights.every((weight) => weight >= 0)
  if (!isUsable || !weights.some((weight) => weight > 0)) {
    throw new TouchstoneError('merge.weights', { found: weights, adapters: named.length })
  }
  return weights
}

async function statementOf(
  sources: readonly Source[],
  layers: readonly MergedLayer[],
  { how, rank, density, outputReweighting, seed, peftCompat }: Options & { density: number },
) {
  const lost = layers.flatMap((layer) => (layer.lost === null ? [] : [layer.lost]))
  const digests = await Promise.all(sources.map(({ path }) => peftDigest(path)))
  return {
    type: 'merge' as const,
    touchstone: version(),
    how,
    rank,
    density,
    outputReweighting,
    seed,
    peftCompat,
    adapters: sources.map(({ path, weight, folder: { config } }, i) => ({
      name: basename(path),
      digest: digests[i]!,
      weight,
      base: config.base,
      rank: config.rank,
    })),
    layers: layers.length,
    /** ‖ΔW − BA‖ / ‖ΔW‖ of the layer that lost most; null where factors alone are defined. */
    largestLoss: lost.length === 0 ? null : Math.max(...lost),
  }
}

function wordsOf(output: string, found: Awaited<ReturnType<typeof statementOf>>): string {
  const parts = found.adapters.map(({ name, weight }) => `${weight} × ${plainText(name, 200)}`)
  const cut =
    found.largestLoss === null
      ? ''
      : ` The cut to its rank lost at most ${percent(found.largestLoss)} of a layer’s change.`
  return `Wrote ${plainText(output, 4000)}: ${parts.join(' + ')} by ${found.how}, ${counted(found.layers, 'layer')}.${cut}\n`
}
