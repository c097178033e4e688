/** @file `touchstone sweep --preset NAME`: a preset in place of the defaults. */
import { sweepVerb } from '../../../runs/kinds/sweep.ts'
import type { Layer } from '../../../runs/options/flags.ts'
import { findPreset } from '../../../sweeps/presets.ts'
import type { Command } from '../../command.ts'
import { jobCommand } from '../../job-command.ts'

const withPreset = (preset: Layer): Command => jobCommand({ ...sweepVerb, preset })

const plain = withPreset({})

export const sweep: Command = {
  ...plain,
  run(argv, io) {
    const name = presetIn(argv) ?? io.environment['TOUCHSTONE_PRESET']
    return (name ? withPreset(findPreset(name)) : plain).run(argv, io)
  },
}

/** The last one said wins, as with every flag. */
function presetIn(argv: readonly string[]): string | undefined {
  return argv
    .flatMap((word, i) => {
      if (word.startsWith('--preset=')) return [word.slice('--preset='.length)]
      return word === '--preset' ? (argv[i + 1] ?? []) : []
    })
    .at(-1)
}
