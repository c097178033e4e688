/** @file What ONNX Runtime says, in our words: an error of the world, or a bug of ours. */
import { expect, test } from 'vitest'
import { translateOrtError } from '../../../evals/runtime/ort-errors.ts'

const PLACE = '/onnxruntime_src/onnxruntime/core/session/some_file.cc:12 Things& things::Get()'
const REFUSED = 'the execution provider CUDA is refused:'

test.each([
  [
    'a library that is missing',
    `${REFUSED} ${PLACE} [ONNXRuntimeError] : 1 : FAIL : Failed to load library /here/lib_x.so with error: /here/lib_x.so: cannot open shared object file: No such file`,
    'The device "cuda" cannot be used: the library lib_x.so is missing.',
  ],
  [
    'a card that is missing',
    `${REFUSED} ${PLACE} found was false. Failed to get an adapter: none\nmore`,
    'The device "cuda" cannot be used: the execution provider CUDA is refused: Failed to get an adapter: none.',
  ],
  [
    'a name that it does not know',
    `${REFUSED} Unknown provider name`,
    'The device "cuda" cannot be used: the execution provider CUDA is refused: Unknown provider name.',
  ],
  ['memory that has run out', 'Failed to allocate memory for 3 bytes', 'cuda ran out of memory'],
  [
    'memory that has run out on WebGPU',
    'WebGPU device error(3): vkCreateBuffer failed\n - While calling',
    'cuda ran out of memory',
  ],
  [
    'another failure of WebGPU',
    'WebGPU device error(2): a buffer is invalid\n - While calling',
    'The device "cuda" cannot be used: WebGPU device error(2): a buffer is invalid.',
  ],
  ['anything else', 'shape mismatch', 'internal: ONNX Runtime refused a graph: shape mismatch'],
])('%s', (_, told, expected) => {
  const { message } = translateOrtError(new Error(told), { device: 'cuda', batchSize: 2 })
  expect(message.startsWith(expected), message).toBe(true)
})

test('a device that is refused is answered by its self-test', () => {
  const error = translateOrtError(new Error(`${REFUSED} why`), { device: 'cuda', batchSize: 1 })
  expect(error).toMatchObject({
    code: 'device.unusable',
    remedy: expect.stringContaining('touchstone doctor --device cuda --parity') as string,
  })
})
