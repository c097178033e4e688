/**
 * @file A place on the earth as a class: an encoding of longitude and latitude (`location/encodings.ts`), a network, a linear
 * head. Networks of Rußwurm et al. (ICLR 2024) and SatCLIP: none, residual ReLU blocks, or sines (SIREN, Sitzmann et al. 2020).
 */
import { z } from 'zod'
import type { ModelArchitecture } from '../architecture.ts'
import { classesIn, classFields } from '../encoder-heads.ts'
import type { ModelFamily } from '../family.ts'
import { listPlaceNetwork, PLACE_FIELDS, placeVector } from '../location/place-network.ts'
import { createWeightList } from '../weight-list.ts'

export const PLACE_ENCODER = 'place-encoder'

const config = z.looseObject({
  ...classFields,
  model_type: z.literal(PLACE_ENCODER),
  ...PLACE_FIELDS,
})
export type PlaceEncoderConfig = z.infer<typeof config>

const HEAD = 'classifier'

const architecture: ModelArchitecture<PlaceEncoderConfig> = {
  name: PLACE_ENCODER,
  kind: 'encoder',
  modelTypes: [PLACE_ENCODER],
  config,
  weights(c, found, path, missing) {
    const list = createWeightList(found, path, '', missing)
    const width = listPlaceNetwork(list, c)
    list.linear(HEAD, [classesIn(c).length, width], {
      biased: true,
      head: 'trained',
    })
    return list.specs()
  },
  states: 'rows',
  forward: (scope, input, c) => ({ hiddenStates: placeVector(scope, input, c), present: [] }),
  logits: ({ linear }, hidden) => linear(HEAD, hidden),
  attention: () => [],
  classifier: {
    className: 'PlaceEncoderForClassification',
    classes: (c) => classesIn(c),
    output: () => `${HEAD}.weight`,
    owns: (name) => name.startsWith(`${HEAD}.`),
  },
  maxPositions: () => 2,
}

export const placeEncoder: ModelFamily = { architecture }
