/**
 * @file X-LoRA: frozen adapters, weighed for each token by a classifier of the base's final hidden state (Buehler and Buehler 2024;
 * PEFT's tuners/xlora). Pass 1 is the base alone, S = softmax(classifier(h)/T); pass 2 adds Σ_n S_n·s_n·B_n·A_n. The layers of
 * the classifier keep PEFT's numbers: one Linear each, with a ReLU and a dropout between.
 */
import { z } from 'zod'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import type { FoundMixture, MixtureFolder } from '../../models/formats/mixture-folder.ts'
import type { PeftFolder, PeftTensor } from '../../models/formats/peft-folder.ts'
import type { FineTuneMethod, Prepared, Probe } from '../method.ts'
import { realNumber, wholeNumber } from '../settings.ts'
import { expertFolders, expertsFrom, mixtureOf } from './experts.ts'
import { lowRankFields, peftConfigOf, targets } from './low-rank.ts'

const flag = (label: string, help: string, standard = false) =>
  z.boolean().default(standard).meta({ label, help })

const config = z.object({
  adapters: z.array(z.string().min(1)).default([]).meta({
    label: 'Adapters',
    help: 'Folders of the adapters that are mixed',
    value: 'PATH',
  }),
  rank: lowRankFields.rank,
  targetModules: lowRankFields.targetModules,
  depth: wholeNumber({ min: 1, max: 8 }, 1, {
    label: 'Depth',
    help: 'Linear layers of the classifier',
  }),
  size: wholeNumber({ min: 1, max: 65_536 }, 2048, {
    label: 'Size',
    help: 'Width between the classifier’s layers',
  }),
  routerTemperature: realNumber({ above: 0 }, 1, {
    label: 'Router temperature',
    help: 'The classifier’s logits are divided by it',
  }),
  topK: wholeNumber({ min: 0, max: 1024 }, 0, {
    label: 'Top k',
    help: 'Adapters that count for a token, without renormalisation; all if 0',
  }),
  softmax: flag('Softmax', 'Shares add up to 1', true),
  softmaxTopK: flag('Softmax of the top k', 'Shares of the top k alone add up to 1'),
  layerwise: flag('Layerwise', 'Shares of each layer of its own'),
  globalWeight: realNumber({ min: 0 }, 1, {
    label: 'Global weight',
    help: 'Multiplies every adapter',
  }),
  trainAdapters: flag('Train adapters', 'The adapters are trained too, not the classifier alone'),
})
type Config = z.infer<typeof config>

/** PEFT's `nn.Sequential` counts ReLU and dropout too. */
const layerName = (i: number, part: 'weight' | 'bias') =>
  `internal_xlora_classifier.layers.${3 * i}.${part}`

/** Logits `[rows, outputs]` of hidden `[rows, hidden]`. */
function classifier(g: Graph, hidden: Value, { depth, size }: Config, outputs: number): Value {
  let [x, width] = [hidden, hidden.shape[1] as number]
  for (let i = 0; i < depth; i++) {
    const out = i === depth - 1 ? outputs : size
    const initialiser = { uniform: 1 / Math.sqrt(width) }
    const W = g.parameter(layerName(i, 'weight'), [out, width], { initialiser })
    const b = g.parameter(layerName(i, 'bias'), [out], { initialiser })
    const y = g.add(g.matMulT(x, W), b)
    x = i === depth - 1 ? y : relu(g, y)
    width = out
  }
  return x
}

const relu = (g: Graph, x: Value): Value =>
  g.where(g.greaterOrEqual(x, g.scalar(0)), x, g.scalar(0))

const MASKED = -1e9

/** Shares `[.., n]` of logits `[.., n]`. The top k are masked by index, where PEFT's softmax leaves out a kept 0. */
export function sharesOf(g: Graph, logits: Value, settings: Config): Value {
  const { softmax, routerTemperature, topK, softmaxTopK } = settings
  const n = logits.shape.at(-1) as number
  const all = softmax ? g.softmax(g.mul(logits, g.scalar(1 / routerTemperature))) : logits
  if (topK === 0 || topK >= n) return softmaxTopK ? g.softmax(all) : all
  const among = g.amongLargest(all, topK)
  return softmaxTopK
    ? g.softmax(g.where(among, all, g.scalar(MASKED)))
    : g.where(among, all, g.scalar(0))
}

function gateOf(settings: Config) {
  const peft = peftConfigOf({ ...settings, alpha: 1, rankPattern: [], alphaPattern: [] })
  const count = settings.adapters.length
  return (g: Graph, hidden: Value, layers: readonly string[]) => {
    const adapted = layers.filter((layer) => targets(peft, layer))
    // Nothing is declared then, and training says which layers there are.
    if (adapted.length === 0) return () => hidden
    if (count < 2) throw new TouchstoneError('mixture.too-few', { found: count })
    const outputs = settings.layerwise ? count * adapted.length : count
    const logits = classifier(g, hidden, settings, outputs)
    const rows = hidden.shape[0]!
    if (!settings.layerwise) {
      const shares = sharesOf(g, logits, settings)
      return () => shares
    }
    const shares = sharesOf(g, g.reshape(logits, [rows, adapted.length, count]), settings)
    return (layer: string) => {
      const at = adapted.indexOf(layer)
      return at < 0 ? shares : g.reshape(g.slice(shares, 1, at, at + 1), [rows, count])
    }
  }
}

/** Tensors of the classifier; the experts have folders of their own. */
const isClassifier = (name: string) => name.startsWith('internal_xlora_classifier.')

const stored = z
  .object({
    enable_softmax: z.boolean().default(true),
    enable_softmax_topk: z.boolean().default(false),
    global_scaling_weight: z.number().min(0).default(1),
    layerwise_scalings: z.boolean().default(false),
    scaling_pass_value: z.literal(0).default(0),
    softmax_temperature: z.number().positive().default(1),
    top_k_lora: z.int().min(1).nullish(),
    use_trainable_adapters: z.boolean().default(false),
    xlora_depth: z.int().min(1).max(8).default(1),
    xlora_size: z.int().min(1).max(65_536).default(2048),
  })
  .loose()

function settingsOf({ config: found, experts, paths }: FoundMixture): z.input<typeof config> {
  const parsed = stored.safeParse(found)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    const why = `${path.join('.')} is ${message}`
    throw new TouchstoneError('mixture.folder', { path: paths[0] ?? 'The folder', why })
  }
  const layers = experts.flatMap(({ tensors }) =>
    [...tensors.keys()].flatMap((key) => key.split('.lora_')[0]!),
  )
  return {
    adapters: [...paths],
    rank: Math.max(1, ...experts.map((each) => largestRank(each))),
    targetModules: [...new Set(layers)],
    depth: parsed.data.xlora_depth,
    size: parsed.data.xlora_size,
    routerTemperature: parsed.data.softmax_temperature,
    topK: parsed.data.top_k_lora ?? 0,
    softmax: parsed.data.enable_softmax,
    softmaxTopK: parsed.data.enable_softmax_topk,
    layerwise: parsed.data.layerwise_scalings,
    globalWeight: parsed.data.global_scaling_weight,
    trainAdapters: parsed.data.use_trainable_adapters,
  }
}

const largestRank = ({ tensors }: PeftFolder): number =>
  Math.max(
    0,
    ...[...tensors].flatMap(([key, { shape }]) => (key.endsWith('A.weight') ? shape[0]! : [])),
  )

function folderOf(
  settings: Config,
  tensors: ReadonlyMap<string, PeftTensor>,
  base: string,
): MixtureFolder {
  const { adapters, rank, size } = settings
  const own = new Map([...tensors].filter(([name]) => isClassifier(name)))
  return {
    config: {
      base_model_name_or_path: base,
      enable_softmax: settings.softmax,
      enable_softmax_topk: settings.softmaxTopK,
      global_scaling_weight: settings.globalWeight,
      hidden_size: own.get(layerName(0, 'weight'))!.shape[1],
      inference_mode: true,
      layerwise_scalings: settings.layerwise,
      peft_type: TYPE,
      scaling_pass_value: 0,
      softmax_temperature: settings.routerTemperature,
      task_type: 'CAUSAL_LM',
      top_k_lora: settings.topK === 0 ? null : settings.topK,
      use_trainable_adapters: settings.trainAdapters,
      xlora_depth: settings.depth,
      // It numbers the classifier's layers as here, and acts in training alone.
      xlora_dropout_p: 0.2,
      xlora_size: size,
    },
    tensors: own,
    experts: expertFolders(tensors, { count: adapters.length, rank, scale: 1 }, base),
  }
}

const TYPE = 'XLORA'

export const xLora: FineTuneMethod<Config> = {
  name: 'x-lora',
  title: 'X-LoRA',
  paper: 'arXiv:2402.07148',
  faithfulness: 'simplified',
  notes: [
    'The classifier’s dropout is left out; with one layer, the default, it has none.',
    'The top k are masked by index: PEFT’s softmax over them leaves out a kept adapter whose logit is exactly 0.',
    'It starts as a mixture of its adapters, not as the base, and is evaluated by two passes with a cache each.',
  ],
  config,
  mergeable: false,
  identityAtStart: false,
  mixture: { type: TYPE, settingsOf },
  hooks(settings) {
    const { adapters, rank, globalWeight, trainAdapters } = settings
    const peft = peftConfigOf({ ...settings, alpha: 1, rankPattern: [], alphaPattern: [] })
    const shape = { count: adapters.length, rank, scale: globalWeight }
    const start = { A: 'zeros', B: 'zeros', learningRateScale: trainAdapters ? 1 : 0 } as const
    return {
      gate: gateOf(settings),
      attach: (g, site, _mode, shares) =>
        targets(peft, site.name) ? mixtureOf(g, site, shape, start, () => shares!) : undefined,
      async prepare({ sites }: Probe): Promise<Prepared> {
        const isMixed = (layer: string) => targets(peft, layer)
        return { parameters: await expertsFrom(adapters, { sites, isMixed, rank }) }
      },
      toMixture: (parameters, base) => folderOf(settings, parameters, base),
    }
  },
}
