/** @file Every task, in display order; its file is loaded when it runs. */
import { findNamed } from '../../errors/names.ts'
import type { TaskEntry } from './task.ts'
import { COMPOSER } from './composer/composer-facts.ts'
import { GUIDED_DIFFUSION } from './diffusion/facts.ts'
import { SCENE_TEXT } from './scenes/facts.ts'
import { RNA } from './rna/rna-facts.ts'
import { SATCLIP } from './satclip/satclip-facts.ts'
import { SCENE3D } from './scene3d/scene3d-facts.ts'
import { CHECKERBOARD, LOCATION } from './location-facts.ts'

export const TASKS: readonly TaskEntry[] = [
  { ...LOCATION, load: async () => (await import('./location.ts')).location },
  { ...CHECKERBOARD, load: async () => (await import('./location.ts')).checkerboard },
  {
    ...GUIDED_DIFFUSION,
    load: async () => (await import('./diffusion/guided.ts')).guidedDiffusion,
  },
  { ...COMPOSER, load: async () => (await import('./composer/composer.ts')).composer },
  { ...SCENE_TEXT, load: async () => (await import('./scenes/scene-text.ts')).sceneText },
  { ...SATCLIP, load: async () => (await import('./satclip/satclip.ts')).satclip },
  { ...RNA, load: async () => (await import('./rna/rna.ts')).rna },
  { ...SCENE3D, load: async () => (await import('./scene3d/scene3d.ts')).scene3d },
]

export const findTask = (name: string): TaskEntry => findNamed('task', TASKS, name)

/** `task --list`: a line a task. */
export const taskLines = (): string =>
  TASKS.map(
    ({ name, title, paper, about, bases }) =>
      `${name}: ${title} (${paper})\n  ${about}\n  Bases: ${bases.join(', ')}\n`,
  ).join('')
