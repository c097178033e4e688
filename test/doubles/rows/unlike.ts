/** @file Prompts that have nothing in common but their words. */
const WORDS =
  'amber anchor apple apron arch attic autumn badge bakery barrel basket beacon bell bench berry blanket bottle branch bread bridge broom bucket butter button cabin candle canyon carpet castle cellar chalk cherry chimney circle cliff cloud clover coast copper corner cotton cradle crane cricket curtain dawn desert dinner drawer eagle engine evening fabric falcon feather fence ferry fiddle flute forest fountain frost garden ginger glacier glove grain granite guitar hammer harbour harvest hazel helmet honey island ivory jacket jungle kettle kitchen ladder lantern lemon letter lizard magnet maple marble meadow melon mirror monsoon mountain needle oyster paddle parrot pebble pepper pigeon pillow planet pocket prairie pumpkin puzzle quarry rabbit raft ribbon saddle sailor salmon shadow shovel silver sparrow spider stable summer teapot thunder ticket timber tunnel turtle valley velvet violin wagon walnut whale willow window winter wizard zebra'.split(
    ' ',
  )

/** Words of prompt `i`, drawn by it. */
export function unlike(i: number, words = 9): string {
  let state = Math.imul(i + 1, 0x9e3779b1) >>> 0
  const word = () => {
    state = (Math.imul(state ^ (state >>> 15), 0x85ebca6b) + 0x6d2b79f5) >>> 0
    return WORDS[((state ^ (state >>> 13)) >>> 0) % WORDS.length] ?? WORDS[0]!
  }
  return `${Array.from({ length: words }, word).join(' ')}?`
}
