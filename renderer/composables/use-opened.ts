/** @file What the desktop was opened with, or what was dropped on it, leads to the view that reads it. */
import { onBeforeUnmount, onMounted } from 'vue'
import { useRouter, type RouteLocationRaw } from 'vue-router'
import type { FileEntry } from '../../evals/contract/calls/models.ts'
import { engine, isDesktop, openedOnDesktop } from '../client.ts'

type Hint = NonNullable<FileEntry['hint']>

const VIEWS: Readonly<Record<Hint, (path: string) => RouteLocationRaw>> = {
  case: (path) => ({ name: 'case', query: { path } }),
  data: (path) => ({ name: 'data', query: { source: path } }),
  adapter: (path) => ({ name: 'talk', query: { candidate: path } }),
  model: () => ({ name: 'models' }),
  gguf: () => ({ name: 'models' }),
  run: () => ({ name: 'runs' }),
}

/** In a browser it does nothing: a page there is told no paths. */
export function useOpened(): void {
  if (!isDesktop) return
  const router = useRouter()
  async function show() {
    for (const path of await openedOnDesktop()) {
      const { hint } = await engine.file.look({ path })
      if (hint === 'model' || hint === 'gguf') await engine.model.add({ path })
      if (hint !== null) await router.push(VIEWS[hint](path))
    }
  }
  // What cannot be read is no reason to stop what the user was doing.
  const ask = () => void show().catch(() => undefined)
  const allow = (event: DragEvent) => {
    event.preventDefault()
    if (event.type === 'drop') ask()
  }
  onMounted(() => {
    ask()
    // A second start, and the system's "Open with", bring the window to the front.
    addEventListener('focus', ask)
    addEventListener('dragover', allow)
    addEventListener('drop', allow)
  })
  onBeforeUnmount(() => {
    removeEventListener('focus', ask)
    removeEventListener('dragover', allow)
    removeEventListener('drop', allow)
  })
}
