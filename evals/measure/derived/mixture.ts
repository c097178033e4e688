/** @file A mixture of adapters made elsewhere: its folder as a method with its parameters, asked in a graph of its own. */
import { basename } from 'node:path'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { bind, type BoundMethod } from '../../finetune/method.ts'
import { METHODS } from '../../finetune/registry.ts'
import { sitesOf } from '../../finetune/training/prepare.ts'
import { declaredParameters } from '../../finetune/training/trained-size.ts'
import type { ModelState } from '../../inference/cached-graph.ts'
import { mixtureDigest, readMixtureFolder } from '../../models/formats/mixture-folder.ts'
import type { TunedWeights } from '../../models/weights/tuned-weights.ts'
import { overlaid } from '../../models/weights/small-weights.ts'
import { identityOf, openSession, type Base } from '../base.ts'

const methodOf = (type: string) => METHODS.find(({ mixture }) => mixture?.type === type)

export const isMixture = (type: string): boolean => methodOf(type) !== undefined

/** The base with the mixture in its graph, and its method. */
export async function mixtureIn(base: Weighed, path: string, type: string) {
  const method = methodOf(type)!
  const found = await readMixtureFolder(path)
  const settings = method.config.safeParse(method.mixture!.settingsOf(found))
  if (!settings.success) {
    const why = `its settings are wrong (${settings.error.issues[0]!.message})`
    throw new TouchstoneError('mixture.folder', { path, why })
  }
  const bound = bind(method, settings.data)
  const parameters = await parametersOf(base, bound, path, new Map(found.tensors))
  const state: ModelState = {
    model: base.model,
    frozen: overlaid(base.weights, parameters),
    method: bound,
  }
  return { method, state, parameters }
}

type Weighed = Pick<Base, 'model' | 'weights'>

export async function openMixture(base: Base, path: string, arm: string, type: string) {
  const { method, state, parameters } = await mixtureIn(base, path, type)
  const identity = identityOf(base, base.open, {
    arm,
    title: `${method.title} ${basename(path)}`,
    path,
    method: method.name,
    adapterDigest: await mixtureDigest(path),
    trainableParameters: [...parameters.values()].reduce((sum, { length }) => sum + length, 0),
  })
  return {
    identity,
    base,
    weights: unmergeable(path, method.title),
    isComparable: false,
    warnings: [`${path} is a mixture, without weights of its own; its spectra are left out.`],
    mixture: state,
    openSession: () => openSession(state, base.device),
  }
}

/** Every parameter that the method declares on this base, in its shape. */
async function parametersOf(
  base: Weighed,
  method: BoundMethod,
  path: string,
  tensors: Awaited<ReturnType<typeof readMixtureFolder>>['tensors'],
): Promise<Map<string, Float32Array>> {
  const declared = declaredParameters(base.model, method)
  const left = declared.filter(({ name }) => !tensors.has(name))
  const prepared =
    left.length === 0
      ? undefined
      : await method.prepare?.({
          seed: 0,
          sites: sitesOf(base.model),
          weight: (name) => base.weights.get(name)!,
          gradients: () => Promise.reject(new Error('internal: a mixture asks for no gradients')),
        })
  return new Map(
    declared.map(({ name, shape }) => {
      const tensor = tensors.get(name)
      const data = tensor?.data ?? prepared?.parameters?.get(name)
      const why = faultOf(name, shape, tensor?.shape ?? shape, data)
      if (why !== undefined) throw new TouchstoneError('mixture.folder', { path, why })
      return [name, data!] as const
    }),
  )
}

function faultOf(
  name: string,
  shape: readonly number[],
  found: readonly number[],
  data: Float32Array | undefined,
): string | undefined {
  if (!data) return `it has no ${name}`
  if (found.join() !== shape.join())
    return `${name} is [${found.join(', ')}], and [${shape.join(', ')}] on this base`
  return data.every(Number.isFinite) ? undefined : `${name} holds numbers that are not finite`
}

function unmergeable(path: string, title: string): TunedWeights {
  return {
    change: () => undefined,
    read() {
      throw new TouchstoneError('mixture.unmergeable', { path, title })
    },
  }
}
