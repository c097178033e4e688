/**
 * @file Whether a reply that gives an accepted answer draws a conclusion of a few words that does not have it ("Paris. Therefore, Rome.",
 * "Paris … Result: Rome"). That may be another answer, or none ("So, good luck!").
 */
import { words } from '../../statistics/words.ts'

const SENTENCES = /(?<=[.!?…])\s+|(?<=[。！？])|\n+/u
/** Of these each begins a conclusion by itself. */
const CONCLUDING = [
  'therefore|thus|hence|consequently|ergo|accordingly|in conclusion|in short|all in all',
  'folglich|somit|demnach|daher|deshalb|kurzum|donc|par conséquent|en conclusion|en bref',
  'por lo tanto|por tanto|por consiguiente|en conclusión|así que|quindi|dunque|pertanto|perciò',
  'portanto|por conseguinte|em conclusão|dus|daarom|derhalve|więc|zatem|dlatego|a więc',
  'итак|значит|следовательно|поэтому|таким образом|dolayısıyla|öyleyse|demek ki|bu yüzden',
  'لذلك|إذن|وبالتالي|इसलिए|अतः|所以|因此|因而|だから|したがって|よって|ゆえに',
].join('|')
/** And of these before a comma, a colon or a dash, since they may also mean something else. */
const BEFORE_SIGN = [
  'so|finally|overall|also|am ende|alors|ainsi|enfin|entonces|así|allora|infine|então|assim|logo',
  'tak|aldus|tot slot|kortom|вот|yani',
].join('|')
/** Before a colon or a dash. */
const NAMES = [
  'result|conclusion|solution|verdict|reply|response|output|ergebnis|fazit|lösung|résultat',
  'conclusión|resultado|solución|risultato|conclusione|soluzione|conclusão|solução|resultaat',
  'conclusie|oplossing|wynik|wniosek|rozwiązanie|результат|вывод|решение|итог|sonuç|çözüm',
  'النتيجة|الحل|परिणाम|निष्कर्ष|हल|结果|结论|解|結果|結論|解答',
].join('|')
const BEGINS = new RegExp(
  `^[\\s*_#>"“(]{0,8}(?:(?:${CONCLUDING})(?![\\p{L}\\p{M}])[\\s,:：，、–—-]{0,4}|(?:${CONCLUDING}|${BEFORE_SIGN})\\s{0,2}[,:：，、–—-]|(?:[\\p{L}]+ )?(?:${NAMES})[\\s*_]{0,4}[:：=–—-])`,
  'iu',
)

/** Words of a conclusion up to which it is looked at; of more it is a sentence like others. */
const MOST_WORDS = 4

export const CONCLUSION_RULE = { begins: BEGINS.source, sentences: SENTENCES.source, MOST_WORDS }

/** Behind a sentence that has an accepted answer, which `gives` says of each. */
export function concludesOtherwise(reply: string, gives: (sentence: string) => boolean): boolean {
  const sentences = reply.split(SENTENCES)
  if (!sentences.some(isConclusion)) return false
  const given = sentences.map(gives)
  return sentences.some(
    (sentence, i) => !given[i] && given.lastIndexOf(true, i) >= 0 && isConclusion(sentence),
  )
}

function isConclusion(sentence: string): boolean {
  const begins = BEGINS.exec(sentence)
  if (!begins) return false
  const count = words(sentence.slice(begins[0].length)).length
  return count > 0 && count <= MOST_WORDS
}
