/** @file `node test/golden/tiny-folder.ts FOLDER`: the tiny Llama that make-onnx.py exports. */
import { writeTinyCheckpoint } from '../doubles/models/tiny-checkpoint.ts'
import { EXPORTED } from '../doubles/models/exported-onnx.ts'

await writeTinyCheckpoint(process.argv[2]!, EXPORTED)
