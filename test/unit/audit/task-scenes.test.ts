/** @file The task of text in scenes: scenes of the user's, and files that are none. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import { Results } from '../../../evals/contract/results.ts'
import { freshFolder, runCommand } from '../../doubles/runs/command-line.ts'

const folder = freshFolder()
const FEW = ['--steps', '2', '--base-steps', '2', '--batch-size', '4', '--limit', '6']
const CHEAP = ['--no-spectra', '--no-match-loss', '--methods', 'lora', '--ranks', '2']
const QUIET = ['--threads', '1', '--exit-zero']

const word = (text: string, x: number, y: number) => ({
  text,
  box: [x, y, x + 6 * text.length, y + 7],
  conf: 0.9,
})
const scene = (ocr: readonly object[], answer = 'coffee') => ({
  image: { w: 100, h: 40 },
  ocr,
  regions: [{ box: [0, 0, 100, 20], score: 1 }],
  question: 'What is sold at the top?',
  answers: Array.from({ length: 10 }, () => answer),
})
const SCENES = [
  scene([word('coffe', 2, 2), word('open', 2, 30)]),
  scene([]),
  scene([word('open', 2, 2)], 'a long way from it'),
  scene([word('exit', 50, 30), word('coffee', 10, 3)]),
  scene(
    Array.from({ length: 40 }, (_, i) => word(`w${i}`, 2, 2)),
    'far from all of them',
  ),
]

async function ran(name: string, text: string) {
  const path = join(folder, name)
  writeFileSync(path, text)
  const out = join(folder, `${name}-out`)
  const argv = ['task', 'scene-text', '--file', path, ...FEW, ...CHEAP, ...QUIET, '--out-dir', out]
  return { out, ...(await runCommand(argv, {}, COMMANDS)) }
}

test('scenes of the user are learnt and held out; those without words or an answer are counted', async () => {
  const { out, code, stderr } = await ran('own.json', JSON.stringify(SCENES))
  expect(code, stderr).toBe(0)
  const { artifacts } = Results.parse(JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')))
  const contents = artifacts.flatMap(({ content }) => content ?? [])
  const [task] = contents.flatMap((content) => (content.kind === 'task' ? content : []))
  expect(task!.data.source).toMatch(
    /own\.json: 2 scenes; left out: 1 without words, 2 where no word is near an answer; of 1 with more than \d+ words the surest alone are read$/u,
  )
  const base = contents.flatMap((content) =>
    content.kind === 'task-measure' && content.arm === 'base' ? content : [],
  )
  const names = base.map(({ name }) => name)
  expect(names).toEqual(
    ['known', 'learnt', 'rule'].flatMap((of) => [`${of}-anls`, `${of}-vqa-accuracy`]),
  )
  // The region holds one word, and "coffe" is mended.
  expect(base.find(({ name }) => name === 'rule-vqa-accuracy')!.value).toBe(1)
  const grid = base.flatMap(({ pictures = [] }) => pictures)[0]
  expect(grid).toMatchObject({ type: 'picture-grid', heads: ['Question', 'Most answered', 'Told'] })
  expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('What is sold at the top?')
})

describe('files', () => {
  const one = SCENES[0]!
  test.each([
    ['broken.json', '[{"image": ', 'is not JSON'],
    ['empty.json', '', 'empty.json'],
    ['none.json', '[]', 'no rows'],
    [
      'box.json',
      JSON.stringify([{ ...one, ocr: [{ text: 'a', box: [1, 2] }] }]),
      'row 1, is no scene',
    ],
    ['question.json', JSON.stringify([{ ...one, question: '' }]), 'row 1, is no scene'],
    [
      'endless.json',
      JSON.stringify([{ ...one, ocr: [word('x'.repeat(1001), 0, 0)] }]),
      'row 1, is no scene',
    ],
    ['blank.json', JSON.stringify([SCENES[1], SCENES[1]]), 'no row that can be used'],
  ])('%s is an error that names what is wrong', async (name, text, words) => {
    const { code, stderr } = await ran(name, text)
    expect([code > 0, stderr.includes('bug')], stderr).toEqual([true, false])
    expect(stderr).toContain(words)
  })
})
