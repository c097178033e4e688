/** @file The view's state in the address, so that Back works and links show the same. */
import { computed, type ComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'

type Query = Readonly<Record<string, string | number | undefined>>

export function useQuery(): {
  readonly query: ComputedRef<Readonly<Record<string, string | undefined>>>
  /** Replaces some parts; the others stay. */
  readonly change: (part: Query) => void
} {
  const route = useRoute()
  const router = useRouter()
  const query = computed(() =>
    Object.fromEntries(
      Object.entries(route.query).map(([key, value]) => [
        key,
        (Array.isArray(value) ? value[0] : value) ?? undefined,
      ]),
    ),
  )
  const change = (part: Query) => void router.replace({ query: { ...route.query, ...part } })
  return { query, change }
}
