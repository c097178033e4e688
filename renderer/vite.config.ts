/** @file Builds the window into `renderer/dist`: one page with relative addresses and nothing inline, for `app://` and HTTP alike. */
import vue from '@vitejs/plugin-vue'
import { join } from 'node:path'
import { defineConfig } from 'vite'

/** Ours do nothing by being imported, but for the entry and style sheets. */
const SIDE_EFFECTS = [{ test: /\/evals\/.*\.ts$/u, sideEffects: false }]

const SHARED = {
  name: 'shared',
  test: /\/renderer\/(?:composables|charts|stores|components\/(?:layout|runs))\//u,
  minShareCount: 3,
}

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [vue()],
  resolve: { alias: { zod: join(import.meta.dirname, 'no-schemas.ts') } },
  define: { __VUE_OPTIONS_API__: 'false' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The content policy allows no data: URL and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2024',
    // A browser asks for six files at a time: one style sheet, and one file of what several views share.
    cssCodeSplit: false,
    rolldownOptions: {
      output: { codeSplitting: { groups: [SHARED] } },
      // The contract's schemas check what goes into the engine, which is not in the page: what makes them is left out.
      treeshake: { manualPureFunctions: ['z'], moduleSideEffects: SIDE_EFFECTS },
    },
    // Of the packages whose code is in the page; packaging/ makes the notices of it.
    license: { fileName: 'licences.json' },
  },
})
