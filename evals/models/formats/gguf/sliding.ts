/** @file Which layers attend to a sliding window, as GGUF says it. */
import { slidingLayers } from '../../decoder-config.ts'
import type { GgufRule } from './family.ts'
import { numberIn } from './layouts.ts'
import { decoderFieldsOf } from './rotary.ts'

const PATTERN = 'attention.sliding_window_pattern'

/** Which layers have a window: all but the last of each `every`, or a list. */
export const slidingPattern = (every: number, { isAlwaysSaid = false } = {}): GgufRule => ({
  keys: [PATTERN],
  read(file, config) {
    const layers = numberIn(config, 'num_hidden_layers')
    const said = file.get(PATTERN)
    const list = Array.isArray(said) && said.length === layers ? (said as unknown[]) : undefined
    const each = typeof said === 'number' ? file.whole(PATTERN) : every
    const isSliding = (layer: number) =>
      config['sliding_window'] !== undefined &&
      (list ? Boolean(list[layer]) : (layer + 1) % each !== 0)
    return {
      layer_types: Array.from({ length: layers }, (_, layer) =>
        isSliding(layer) ? 'sliding_attention' : 'full_attention',
      ),
    }
  },
  write(config) {
    const usual = (config['sliding_window_pattern'] as number | undefined) ?? every
    const fields = decoderFieldsOf(config) as Parameters<typeof slidingLayers>[0]
    const sliding = slidingLayers(fields, (layer) => (layer + 1) % usual !== 0)
    const isUsual = sliding.every((slides, layer) => slides === ((layer + 1) % every !== 0))
    return isUsual && !isAlwaysSaid ? [] : [[PATTERN, { type: 'bools', value: sliding }]]
  },
})
