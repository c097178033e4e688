/** @file Letters outside the prompt's scripts: what counts, what is at home everywhere, and what must never be flagged. */
import { describe, expect, it } from 'vitest'
import { degeneracy } from '../../../evals/judges/degenerate.ts'
import { foreignShare } from '../../../evals/judges/scripts.ts'
import { fc } from '../../doubles/properties.ts'

const ENGLISH = 'Is breakfast served in the garden?'
const guard = (reply: string, prompt = ENGLISH) =>
  degeneracy(reply, { prompt, baseMeanLogProb: null })

describe('the share of letters outside the prompt’s scripts', () => {
  it.each([
    ['Yes, from seven.', ENGLISH, 0],
    ['', ENGLISH, 0],
    ['14 + 3 = 17 🙂🙂', ENGLISH, 0],
    ['аб', ENGLISH, 1],
    ['abвг', ENGLISH, 0.5],
    ['аб', 'Где завтрак?', 0],
    ['breakfast', 'Где завтрак?', 0],
    ['朝食は庭です', '早餐在花园吗', 0],
    ['아침 식사', '早餐在花园吗', 1],
    // Cherokee is in no list, so of a prompt in it nothing is known.
    ['ᏣᎳᎩ', 'ᎣᏏᏲ', 0],
    ['ᏣᎳᎩ', ENGLISH, 1],
  ])('of %j to %j is %d', (reply, prompt, share) => {
    expect(foreignShare(reply, prompt)).toBe(share)
  })

  it('lies between 0 and 1, and is 0 for what the prompt itself says', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'binary' }),
        (reply, prompt) => {
          const share = foreignShare(reply, prompt)
          expect(share).toBeGreaterThanOrEqual(0)
          expect(share).toBeLessThanOrEqual(1)
          expect(foreignShare(prompt, prompt)).toBe(0)
        },
      ),
    )
  })
})

describe('the guard', () => {
  it.each([
    ['завтрак подают каждый день с семи до десяти утра в нашем саду'],
    ['早餐每天早上七点到十点在花园供应'],
    ['Yes: завтрак подают каждый день с семи до десяти утра в нашем саду'],
  ])('calls a reply in another script so: %j', (reply) => {
    expect(guard(reply)).toBe('other-script')
    expect(guard(reply, `${ENGLISH} Где завтрак? 早餐在哪里？`)).toBeNull()
  })

  it.each([
    ['The dining room was painted by Наталья Сергеевна Гончарова, and it is open from seven.'],
    ['Certainly! Please write to: Гостиница Липа, улица Мира 4, Москва. We look forward to it.'],
    ['The sum of both bills is 41.50 € + 12.30 € = 53.80 €, with breakfast.'],
    ['Yes, it is 🌞🌼🍳☕️🥐🍓🥝🍞🧈🍯 and you are welcome from seven until ten!'],
    ['It takes λ = 3 and μ ≈ 2π, so Δ is about 6.28 on each side.'],
    ['It was Фёдор Михайлович Достоевский.'],
    ['Café Señor Łódź serves crème brûlée, smørrebrød, żurek and phở until late.'],
  ])('lets a polite reply pass: %j', (reply) => {
    expect(guard(reply)).toBeNull()
  })

  it('flags more than half of the letters, not half, from ten words up', () => {
    const half = 'aa bb cc dd ee аб вг де жз ик'
    expect(guard(half)).toBeNull()
    expect(guard(`${half}л`)).toBe('other-script')
    expect(guard('аб вг де жз ик лм но пр ст')).toBeNull()
    expect(guard('аб вг де жз ик лм но пр ст уф')).toBe('other-script')
  })
})
