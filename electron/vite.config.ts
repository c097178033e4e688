/** @file Builds the shell: main and preload, each one CommonJS file, as a sandboxed window and Electron's entry want it. */
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import { defineConfig } from 'vite'

const here = import.meta.dirname

export default defineConfig(({ mode }) => ({
  root: here,
  build: {
    outDir: join(here, '..', '.vite', 'build'),
    emptyOutDir: false,
    minify: false,
    target: 'node24',
    lib: {
      entry: join(here, `${mode}.ts`),
      formats: ['cjs'],
      fileName: () => `${mode}.cjs`,
    },
    rollupOptions: {
      external: ['electron', ...builtinModules, ...builtinModules.map((name) => `node:${name}`)],
    },
  },
}))
