/** @file The catalogue of methods, benchmarks and judges, loaded once. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { Catalog, JobKindName } from '../../evals/contract/calls/catalog.ts'
import { engine } from '../client.ts'

export const useCatalogStore = defineStore('catalog', () => {
  const catalog = shallowRef<Catalog>()
  let pending: Promise<Catalog> | undefined

  /** Every view may call it; the engine is asked once. */
  function load(): Promise<Catalog> {
    pending ??= engine.catalog.get().then(
      (answer) => (catalog.value = answer),
      (problem: unknown) => {
        pending = undefined
        throw problem
      },
    )
    return pending
  }
  const schemaOf = (kind: JobKindName): object =>
    catalog.value?.jobs.find((entry) => entry.kind === kind)?.schema ?? {}
  /** Whether a benchmark's prompts are Touchstone's own, which are mild. */
  const isBundled = (benchmark: string): boolean => entryOf(benchmark)?.isBundled ?? false
  /** Its name where it is none of the catalogue. */
  const titleOf = (benchmark: string): string => entryOf(benchmark)?.title ?? benchmark
  const entryOf = (benchmark: string) =>
    catalog.value?.benchmarks.find(({ name }) => name === benchmark)
  return { catalog, load, schemaOf, isBundled, titleOf }
})
