/** @file Checks whether the keys and values of a model can be kept in fewer bits. */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { isEncoder, type Model } from '../models/registry.ts'
import type { Device } from '../runtime/device.ts'
import type { AuditConfig } from './config.ts'

type Asked = Partial<Pick<AuditConfig, 'cachePrecision'>>

/** The device on which a model is asked as the configuration says. */
export const askedOn = (device: Device, { cachePrecision = 'float32' }: Asked): Device =>
  cachePrecision === 'float32' ? device : { ...device, cache: cachePrecision }

/** Throws `cache.precision` where the model has no cache of ours. */
export function requireCache({ cache, name }: Pick<Device, 'cache' | 'name'>, model: Model): void {
  if (!cache) return
  const refuse = (why: string) => new TouchstoneError('cache.precision', { precision: cache, why })
  if (isEncoder(model)) throw refuse('an encoder keeps none')
  if (model.graph) throw refuse('an exported graph keeps them as it was written')
  if (name !== 'cpu') throw refuse(`on ${name} they are kept in float32`)
}
