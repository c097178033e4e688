/** @file In which language a text is written, as far as frequent words or its script tell; where neither does, in none. */

const FREQUENT: Readonly<Record<string, string>> = {
  en: 'the and of to is are what how you my that it with do does which who where can',
  de: 'der die das und ist sind ich nicht ein eine wie zu mit wer wo mein meine auf von den dem hat kann welche welcher',
  fr: 'le les des et est je ne pas un une dans qui que pour mon ma mes du quel quelle comment vous sur au',
  es: 'el los las y es no una en que por mi mis para como del quien donde cual tiene puedo',
  it: 'il gli e non che di per mio mia come sono della nel chi dove quale posso ha',
  pt: 'o os as e nao um uma em que por meu minha para como do da quem onde qual tem posso',
  nl: 'het een en van ik niet is dat mijn met hoe op wie waar voor te welke heeft kan',
  pl: 'i w nie na jest do sie czy jak moj moja kto gdzie ktory ktora co ma z o mogo',
  sv: 'och det att ar jag inte en ett som pa min mitt hur med vem var for vilken har kan',
  da: 'og det at er jeg ikke en et som pa min mit hvordan med hvem hvor til hvilken har kan',
  tr: 've bir bu ne icin mi nasil ben benim var kim nerede ile hangi mu da de',
  id: 'dan yang di ke apa bagaimana saya tidak ini itu untuk dengan siapa mana ada dari',
  vi: 'va la cua toi khong co cac mot nhu the nao ai o dau cho nay',
  cs: 'a je se na to v jak ma muj moje kdo kde ktery ktera co ze pro neni',
}

const LANGUAGES = new Map<string, string[]>()
for (const [language, words] of Object.entries(FREQUENT))
  for (const word of words.split(' '))
    LANGUAGES.set(word, [...(LANGUAGES.get(word) ?? []), language])

const SCRIPTS =
  'Cyrillic Greek Arabic Hebrew Devanagari Bengali Tamil Thai Georgian Armenian Ethiopic Hangul Hiragana Katakana Han'
    .split(' ')
    .map((name) => [name, new RegExp(`\\p{Script=${name}}`, 'gu')] as const)

/** Words of accent-free small letters, as `tokensOf` gives them; undefined where nothing tells. */
export function languageOf(text: string, words: readonly string[]): string | undefined {
  const letters = text.match(/\p{L}/gu)?.length ?? 0
  const script = SCRIPTS.find(([, of]) => (text.match(of)?.length ?? 0) > letters / 3)
  if (script) return script[0] === 'Katakana' ? 'Hiragana' : script[0]
  const votes = new Map<string, number>()
  for (const word of new Set(words))
    for (const language of LANGUAGES.get(word) ?? [])
      votes.set(language, (votes.get(language) ?? 0) + 1)
  const [first, second] = [...votes].sort(([, a], [, b]) => b - a)
  return first && first[1] >= 2 && first[1] > (second?.[1] ?? 0) ? first[0] : undefined
}
