/** @file Boxes, scores of words and answers: hand values and what an oracle must give. */
import { describe, expect, test } from 'vitest'
import { anls, vqaAccuracy } from '../../../../evals/models/scenes/answers.ts'
import {
  editDistance,
  iou,
  kept,
  mended,
  seen,
  spoken,
  together,
  type SceneWord,
} from '../../../../evals/models/scenes/locate.ts'
import { madeScene } from '../../../../evals/audit/tasks/scenes/scenes.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'

test('intersection over union', () => {
  expect(iou([0, 0, 2, 2], [1, 1, 3, 3])).toBeCloseTo(1 / 7, 12)
  expect(iou([0, 0, 2, 2], [0, 0, 2, 2])).toBe(1)
  expect([iou([0, 0, 1, 1], [1, 0, 2, 1]), iou([0, 0, 0, 0], [0, 0, 0, 0])]).toEqual([0, 0])
})

test('a word is seen by its overlap, or by how much of it a large region holds', () => {
  const regions = [{ box: [0, 0, 100, 100] as const, score: 0.8 }]
  expect(seen([10, 10, 20, 20], regions)).toBeCloseTo(0.8, 12)
  expect(seen([95, 10, 105, 20], regions)).toBeCloseTo(0.4, 12)
  expect(seen([0, 0, 100, 50], regions)).toBeCloseTo(0.4, 12)
  expect(seen([200, 0, 210, 10], regions)).toBe(0)
})

test.each([
  [0, 0],
  [1, 0.3],
  [2, 0.6],
  [3, 0.9],
  [4, 1],
  [10, 1],
])('VQA accuracy of %i matches among ten is %f', (matches, accuracy) => {
  const references = Array.from({ length: 10 }, (_, i) => (i < matches ? 'Tea ' : `other ${i}`))
  expect(vqaAccuracy('tea', references)).toBeCloseTo(accuracy, 12)
})

test.each([
  ['coca cola', 'coca-cola', 0.888889],
  ['stop', 'STAP', 0.75],
  ['pepsi', 'coca', 0],
])('ANLS of %s against %s is %f', (answer, reference, score) => {
  expect(anls(answer, ['zzzzzzzzzzzz', reference])).toBeCloseTo(score, 6)
})

describe('words that answer', () => {
  const word = (text: string, x: number, y: number): SceneWord => ({
    text,
    box: [x, y, x + 10, y + 10],
  })

  test('scores are over words, and their weight shifts from the question to the picture', () => {
    const t = spoken(['exit', 'coffee shop', 'tea'], 'Where is the coffee?')
    expect(t.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12)
    expect(t.indexOf(Math.max(...t))).toBe(1)
    const v = [0.9, 0.1, 0.1]
    expect([together(v, t, 1), together(v, t, 0)]).toEqual([v, t])
    expect(together([0.25], [0.64])[0]).toBeCloseTo(0.4, 12)
  })

  test('those with half of the best score are read line by line from the left', () => {
    const words = [word('two', 30, 2), word('three', 0, 20), word('one', 0, 0), word('no', 9, 9)]
    const read = kept(words, [0.6, 0.5, 1, 0.49]).map(({ text }) => text)
    expect(read).toEqual(['one', 'two', 'three'])
    expect(kept(words, [0, 0, 0, 0])).toEqual([])
  })

  test('a word within two edits of a known one is that word', () => {
    expect(editDistance('kitten', 'sitting')).toBe(3)
    const known = ['coffee', 'tea']
    expect(['COFFFE', 'xoffe', 'tae', 'cinema'].map((each) => mended(each, known))).toEqual([
      'coffee',
      'coffee',
      'tea',
      'cinema',
    ])
  })
})

test('perfect regions choose the word that answers, in every scene', () => {
  const stream = randomStream(0, 'oracle')
  for (let i = 0; i < 50; i++) {
    const { words, answer } = madeScene(stream, `scene ${i}`)
    const regions = [{ box: words[answer]!.box, score: 1 }]
    const v = words.map(({ box }) => seen(box, regions))
    expect(v[answer]).toBe(1)
    const t = words.map(() => 1 / words.length)
    expect(kept(words, together(v, t)).map(({ text }) => text)).toEqual([words[answer]!.text])
  }
})
