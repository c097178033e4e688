/** @file `node test/golden/tiny-folder.ts FOLDER`: the tiny Llama that make-onnx.py exports. */
import { writeTinyCheckpoint } from '../doubles/tiny-checkpoint.ts'
import { EXPORTED } from '../doubles/exported-onnx.ts'

await writeTinyCheckpoint(process.argv[2]!, EXPORTED)
