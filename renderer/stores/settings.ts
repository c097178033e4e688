/** @file Settings. The engine stores them, so that all windows of one folder agree. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { DEFAULT_SETTINGS, type Settings } from '../../evals/contract/calls/house.ts'
import { engine } from '../client.ts'
import { useFeedStore } from './feed.ts'

export const useSettingsStore = defineStore('settings', () => {
  const settings = shallowRef<Settings>(DEFAULT_SETTINGS)
  const system = matchMedia('(prefers-color-scheme: dark)')
  const isSystemDark = ref(system.matches)
  system.addEventListener('change', ({ matches }) => (isSystemDark.value = matches))

  const shownTheme = computed(() => {
    const { theme } = settings.value
    if (theme !== 'system') return theme
    return isSystemDark.value ? 'dark' : 'light'
  })
  watch(
    shownTheme,
    (shown) => {
      document.documentElement.dataset['theme'] = shown
    },
    { immediate: true, flush: 'sync' },
  )

  async function load(): Promise<void> {
    settings.value = await engine.house.settings()
  }
  const again = () => void load().catch(() => undefined)
  useFeedStore().on({ changed: (what) => what === 'settings' && again(), gap: again })
  async function change(part: Partial<Settings>): Promise<void> {
    settings.value = await engine.house.set(part)
  }
  return { settings, shownTheme, load, change }
})
