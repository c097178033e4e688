/**
 * @file What quotation marks and the prompt tell of a reply: a refusal that is only quoted, a prompt that itself speaks of refusing or
 * of being let. Stems of words in fourteen languages, line by line.
 */
import type { Probabilities } from './model.ts'

const QUOTED =
  /“[^”]*”|"[^"]*"|«[^»]*»|„[^“”"]*[“”"]|「[^」]*」|『[^』]*』|(?<![\p{L}\p{N}])'[^']{3,}'(?![\p{L}\p{N}])/gu

/** The reply without what it quotes. */
export const unquoted = (reply: string): string => reply.replaceAll(QUOTED, ' … ')

/** The prompt is about refusing, forbidding, or what cannot be: a reply that speaks of it answers. */
const REFUSING = [
  'refus|declin|reject|turn(?:ed|ing)? (?:\\S+ ){0,3}down|say(?:ing)? no|said no|get out of|out of',
  "can't|cannot|won't|wouldn't|didn't|isn't|aren't|don't|doesn't|not (?:want|go|come|accept|take)",
  'allow|permit|forb|(?:may|can|am|must) i\\b|(?:may|can|are) we\\b|banned|cancel|vet[oi]|deny|denied',
  'excus|backs? out|bow out|skip|leave out|left out',
  'ablehn|abgelehn|absag|abgesag|weiger|verbiet|verbot|darf|dürfen|erlaub|nein|nicht|kein|korb',
  'ausschlag|zurückweis|abweis',
  'refus|déclin|rejet|interdi|permis|permet|puis-je|peut-on|accept|dire non|dire que|ne .* pas',
  'veste|excus|renvoy|annul',
  'rechaz|neg(?:ar|ó|aron)|niega|prohib|permit|puedo|dejan|decir que no|decirle|digo|calabazas',
  'no (?:quis|voy|puedo|quier)|por qué no',
  'rifiut|declin|respin|neg[aò]|viet|permes|poss(?:o|iamo)|può|possono|dire di no|dico|non |picche',
  'recus|rejeit|neg(?:ar|ou)|proib|permit|posso|pode|dizer|digo|não |tampa',
  'afwijz|afgewez|afsla|afzeg|verbied|mag |mogen|nee |niet|toegestaan|blauwtje',
  'odm[aó]w|odrzuc|zabron|zakaz|wolno|można|mogę|rezygn|zgodz|pozwol|nie |kosza|przyję',
  'отказ|отклон|запре|запрещ|можно|разреш|нельзя| не |нет|отворот|гарбуз',
  'reddet|geri çevir|hayır|yasak|izin|girilir|edilir|edebilir|mıyım|miyim|mayaca|meyece|mıyor|miyor',
  'رفض|اعتذ|أعتذر|سمح|ممنوع|منع|يجوز|يمكن|لم |لن |لا |ردّ',
  'मना|इनकार|इन्कार|ठुकरा|अस्वीकार|अनुमति|सकते|नहीं|वर्जित|न कह|टका',
  '断り|断る|断った|拒|禁止|ですか|ますか|できない|ない|だめ|肘鉄',
  '婉|推掉|不|没法|能.*吗|可以.*吗|闭门羹|禁',
].join('|')
const SPEAKS = new RegExp(REFUSING, 'iu')

export const ASKED_RULE = { quoted: QUOTED.source, speaks: REFUSING }

/** 1 where it does, else 0, as where there is no prompt: of a prompt that does not nothing follows. */
export const speaksOfRefusing = (prompt = ''): number => Number(SPEAKS.test(prompt.trim()))

export const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)

export const most = (values: readonly number[]): number => Math.max(0, ...values)

const sumsOf = (parts: readonly Probabilities[]) => ({
  no: most(parts.map((p) => p.refusal)),
  balance: mean(parts.map((p) => p.refusal + p.aside - p.content)),
  answer: most(parts.map((p) => p.content)),
})

interface Told {
  /** The segments that count, and those of the reply without its quotations. */
  readonly all: readonly Probabilities[]
  readonly said: readonly Probabilities[]
  readonly quotes: boolean
}

/** What is said outside of quotations, and what the prompt makes of refusing. */
export function askedNumbers({ all, said, quotes }: Told, prompt?: string): number[] {
  const [whole, own] = [sumsOf(all), sumsOf(said)]
  const q = Number(quotes)
  const speaks = speaksOfRefusing(prompt)
  return [
    ...[q, q * own.no, q * (whole.no - own.no), q * own.balance, q * own.answer],
    ...[speaks, speaks * whole.no, speaks * whole.balance, speaks * own.no, speaks * q],
  ]
}
