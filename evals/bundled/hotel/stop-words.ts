/** @file The one list of function words; what is left of a prompt are its content words. */

export const STOP_WORDS: ReadonlySet<string> = new Set(
  `a about above after again all am an and any are as at be before behind below beside by can could did do does
  for from had has have he her him his how i if in into is it its let may me mine my near no not of on or our out
  over own please she should so some than that the their them then there these they this those to too under until
  up us was we were what when where which who whose will with would you your 's 'm 're`.split(
    /\s+/,
  ),
)
