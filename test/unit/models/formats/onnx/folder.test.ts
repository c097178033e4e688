/** @file ONNX folders that are not what they say: each is refused by name, before ONNX Runtime sees it. */
import { appendFile, cp, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import onnxProto, { type onnx as Proto } from 'onnx-proto'
import { describe, expect, test } from 'vitest'
import { loadModel } from '../../../../../evals/models/load.ts'
import { writeOnnxModel } from '../../../../../evals/models/formats/onnx/write-onnx-model.ts'
import { freshFolder } from '../../../../doubles/runs/command-line.ts'
import { writeTinyCheckpoint } from '../../../../doubles/models/tiny-checkpoint.ts'

const folder = freshFolder()
const base = await writeTinyCheckpoint(join(folder, 'base'))
const right = join(folder, 'right')
{
  const { model, weights, open } = await loadModel(base)
  const read = (name: string) => weights.get(name)!
  const { config } = open.checkpoint
  await writeOnnxModel(right, { model, read, config, tokenizerFiles: new Map() })
  await open.close()
  for (const file of ['tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja'])
    await cp(join(base, file), join(right, file))
}
const GRAPH = readFileSync(join(right, 'model.onnx'))

let copies = 0
async function copy(): Promise<string> {
  const path = join(folder, `copy-${++copies}`)
  await cp(right, path, { recursive: true })
  return path
}

type Model = Proto.ModelProto
/** The right folder with its graph changed. */
async function changed(change: (model: Model) => void): Promise<string> {
  const path = await copy()
  const model = onnxProto.onnx.ModelProto.decode(GRAPH)
  change(model)
  await writeFile(join(path, 'model.onnx'), onnxProto.onnx.ModelProto.encode(model).finish())
  return path
}

const tensor = (model: Model, name: string) =>
  model.graph!.initializer!.find((each) => each.name === name)!
const HEAD = 'model.norm.weight'
/** Changes one field of where a weight lies. */
const placed = (key: string, value: string) =>
  changed((model) => {
    const entry = tensor(model, HEAD).externalData!.find((each) => each.key === key)!
    entry.value = value
  })

async function refusal(path: string) {
  const error: unknown = await loadModel(path).then(
    ({ open }) => open.close().then(() => 'it opened'),
    (why: unknown) => why,
  )
  return error as { code: string; message: string }
}

test('the folder itself opens, with the weights that were written', async () => {
  const [own, other] = [await loadModel(base), await loadModel(right)]
  expect(other.open.checkpoint.format).toBe('onnx')
  expect([...other.weights.keys()].sort()).toEqual([...own.weights.keys()].sort())
  for (const [name, values] of own.weights) expect(other.weights.get(name)).toEqual(values)
  expect(other.open.tokenizer.digest).toBe(own.open.tokenizer.digest)
  await own.open.close()
  await other.open.close()
})

test('its digest changes with a weight, and with the graph', async () => {
  const digests = new Set<string>()
  const graph = await changed((model) => (model.producerName = 'another'))
  const weight = await copy()
  await writeFile(
    join(weight, 'model.onnx.data'),
    readFileSync(join(right, 'model.onnx.data')).fill(1, 0, 4),
  )
  for (const path of [right, await copy(), graph, weight]) {
    const { open } = await loadModel(path)
    digests.add(await open.checkpoint.digest())
    await open.close()
  }
  expect(digests.size).toBe(3)
})

describe('a graph that is', () => {
  test('empty, cut short, or no protobuf', async () => {
    for (const bytes of [
      Buffer.alloc(0),
      GRAPH.subarray(0, GRAPH.length / 2),
      Buffer.from('{"a": 1}'),
    ]) {
      const path = await copy()
      await writeFile(join(path, 'model.onnx'), bytes)
      expect(await refusal(path)).toMatchObject({ code: 'checkpoint.malformed' })
    }
  })

  test('millions of empty nodes, which would become objects', async () => {
    const path = await copy()
    const nodes = Buffer.alloc(40 * 2 ** 20)
    for (let i = 0; i < nodes.length; i += 2) nodes[i] = 0x0a
    const length = Buffer.alloc(5)
    for (let i = 0, rest = nodes.length; i < 5; i++, rest = Math.floor(rest / 128))
      length[i] = (rest % 128) + (i < 4 ? 128 : 0)
    await writeFile(join(path, 'model.onnx'), Buffer.concat([Buffer.from([0x3a]), length, nodes]))
    expect((await refusal(path)).message).toContain('beside raw weights')
  })

  test('nested without an end', async () => {
    const path = await copy()
    let inner = Buffer.alloc(0)
    const wrapped = (tag: number, body: Buffer) => {
      const size: number[] = []
      for (let rest = body.length; ; rest = Math.floor(rest / 128)) {
        size.push((rest % 128) + (rest >= 128 ? 128 : 0))
        if (rest < 128) break
      }
      return Buffer.concat([Buffer.from([tag, ...size]), body])
    }
    // GraphProto.node.attribute.g, over and over.
    for (let depth = 0; depth < 3000; depth++)
      inner = wrapped(0x0a, wrapped(0x2a, wrapped(0x32, inner)))
    await writeFile(join(path, 'model.onnx'), wrapped(0x3a, inner))
    expect(await refusal(path)).toMatchObject({
      code: expect.stringMatching(/^checkpoint\./u) as string,
    })
  })

  test('of an operator set that nobody knows', async () => {
    const path = await changed((model) => (model.opsetImport[0]!.version = 99))
    expect(await refusal(path)).toMatchObject({
      code: 'checkpoint.unsupported',
      message: expect.stringContaining('the operator set "99"') as string,
    })
  })

  test('a cycle, out of order, or reads what nothing makes', async () => {
    const cycle = await changed((model) => {
      const nodes = model.graph!.node!
      const second = nodes.findIndex((node) => nodes[0]!.output!.includes(node.input![0]!))
      nodes[0]!.input = [nodes[second]!.output![0]!]
    })
    expect((await refusal(cycle)).message).toContain('a cycle, or nodes out of order')
    const order = await changed((model) => model.graph!.node!.reverse())
    expect((await refusal(order)).message).toContain('reads before it is made')
    const nothing = await changed((model) => (model.graph!.node![0]!.input = ['nowhere']))
    expect((await refusal(nothing)).message).toContain('reads and nothing makes')
  })

  test('making a value or a weight twice', async () => {
    const twice = await changed((model) => {
      const [first, second] = model.graph!.node!
      second!.output = first!.output
    })
    expect((await refusal(twice)).message).toContain('made twice')
    const weights = await changed((model) => model.graph!.initializer!.push(tensor(model, HEAD)))
    expect((await refusal(weights)).message).toContain(`"${HEAD}" twice`)
  })

  test('no decoder, or one with ports of other forms', async () => {
    const named = await changed((model) => (model.graph!.output![0]!.name = 'present.0.value'))
    expect(await refusal(named)).toMatchObject({ code: 'onnx.not-a-decoder' })
    const half = await changed((model) => {
      model.graph!.input!.find(
        ({ name }) => name === 'past_key_values.0.key',
      )!.type!.tensorType!.elemType = 10
    })
    expect((await refusal(half)).message).toContain('past_key_values.0.key" in float16')
    const further = await changed((model) =>
      model.graph!.input!.push({ ...model.graph!.input![0]!, name: 'beam' }),
    )
    expect((await refusal(further)).message).toContain('the further input "beam"')
  })
})

describe('weights outside', () => {
  test.each(['../model.onnx.data', '/etc/hostname', 'a/../../b', 'C:\\data', '..', './data', ''])(
    'at %j, which is no place in the folder',
    async (location) => {
      const found = await refusal(await placed('location', location))
      expect(found).toMatchObject({ code: 'checkpoint.malformed' })
      expect(found.message).toContain('expected a file in the same folder')
    },
  )

  test('behind a link that leaves the folder', async () => {
    const path = await copy()
    await rm(join(path, 'model.onnx.data'))
    await symlink(join(right, 'model.onnx.data'), join(path, 'model.onnx.data'))
    expect((await refusal(path)).message).toContain('behind a link out of the folder')
  })

  test('in a file that is missing, a folder, or cut short', async () => {
    const [missing, directory, short] = [await copy(), await copy(), await copy()]
    await rm(join(missing, 'model.onnx.data'))
    expect(await refusal(missing)).toMatchObject({ code: 'checkpoint.not-found' })
    await rm(join(directory, 'model.onnx.data'))
    await mkdir(join(directory, 'model.onnx.data'))
    expect(await refusal(directory)).toMatchObject({ code: 'file.unreadable' })
    await truncate(join(short, 'model.onnx.data'), 100)
    expect((await refusal(short)).message).toContain('100 bytes in the file')
  })

  test.each([
    ['offset', '1000000000000'],
    ['offset', '-4'],
    ['offset', '99999999999999999999'],
    ['offset', '0x10'],
    ['length', '1e3'],
    ['length', '60'],
  ])('with the %s %s', async (key, value) => {
    expect(await refusal(await placed(key, value))).toMatchObject({ code: 'checkpoint.malformed' })
  })

  test('overlapping another; the very same bytes may serve two', async () => {
    expect((await refusal(await placed('offset', '32'))).message).toContain('overlapping')
    const shared = await changed((model) => {
      const place = tensor(model, 'model.layers.0.input_layernorm.weight').externalData!
      tensor(model, HEAD).externalData = place
    })
    expect(await refusal(shared)).toBe('it opened')
  })

  test('and bytes behind the last of them are nobody’s business', async () => {
    const path = await copy()
    await appendFile(join(path, 'model.onnx.data'), 'padding')
    expect(await refusal(path)).toBe('it opened')
  })
})

describe('genai_config.json', () => {
  test('names the graph and its ports; a path in place of a name is refused', async () => {
    const path = await copy()
    const config = (filename: string) =>
      writeFile(
        join(path, 'genai_config.json'),
        JSON.stringify({ model: { type: 'llama', decoder: { filename } } }),
      )
    await config('model.onnx')
    expect(await refusal(path)).toBe('it opened')
    for (const filename of ['../right/model.onnx', '/tmp/model.onnx', 'model.bin', '']) {
      await config(filename)
      expect(await refusal(path)).toMatchObject({ code: 'checkpoint.malformed' })
    }
  })
})
