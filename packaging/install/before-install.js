/**
 * @file The package's install script, where a user lets it run: ONNX Runtime's own, which npm runs after this one, would fetch
 * CUDA and fail behind a closed network. Touchstone uses what is in ONNX Runtime's package, so that script is emptied.
 */
import { writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const manifest = createRequire(import.meta.url).resolve('onnxruntime-node/package.json')
writeFileSync(
  join(dirname(manifest), 'script', 'install.js'),
  '// Emptied by Touchstone, which needs none of the files that it fetched.\n',
)
