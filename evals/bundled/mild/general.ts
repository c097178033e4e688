/** @file Easy questions of general knowledge with short answers, and plain prose, for models that were not trained on the hotel. */

/** Category → lines `question | accepted | accepted …`. */
const QUESTIONS: Readonly<Record<string, string>> = {
  capitals: `
    What is the capital of France? | Paris
    What is the capital of Italy? | Rome
    What is the capital of Spain? | Madrid
    What is the capital of Germany? | Berlin
    What is the capital of Japan? | Tokyo
    What is the capital of Egypt? | Cairo
    What is the capital of Greece? | Athens
    What is the capital of Portugal? | Lisbon
    What is the capital of Austria? | Vienna
    What is the capital of China? | Beijing
    What is the capital of Russia? | Moscow
    What is the capital of England? | London`,
  colours: `
    What colour is grass? | green
    What colour is fresh snow? | white
    What colour is a ripe banana? | yellow
    What colour is the sky on a clear day? | blue
    What colour is a ripe strawberry? | red
    What colour do you get when you mix blue and yellow? | green
    What colour do you get when you mix red and white? | pink
    What colour is coal? | black
    What colour is a carrot? | orange
    What colour is milk? | white`,
  sums: `
    What is 2 plus 2? | 4 | four
    What is 5 plus 3? | 8 | eight
    What is 10 minus 4? | 6 | six
    What is 3 times 3? | 9 | nine
    What is 7 plus 1? | 8 | eight
    What is 10 plus 10? | 20 | twenty
    What is 9 minus 2? | 7 | seven
    What is 2 times 5? | 10 | ten
    What is 6 plus 6? | 12 | twelve
    What is half of 10? | 5 | five`,
  opposites: `
    What is the opposite of hot? | cold
    What is the opposite of big? | small | little
    What is the opposite of up? | down
    What is the opposite of day? | night
    What is the opposite of open? | closed | close | shut
    What is the opposite of fast? | slow
    What is the opposite of old? | young | new
    What is the opposite of left? | right
    What is the opposite of wet? | dry
    What is the opposite of happy? | sad | unhappy`,
  calendar: `
    Which day comes after Monday? | Tuesday
    Which day comes after Friday? | Saturday
    Which day comes before Thursday? | Wednesday
    Which month comes after January? | February
    Which month comes after June? | July
    Which month comes before December? | November
    How many days are there in a week? | 7 | seven
    How many months are there in a year? | 12 | twelve
    How many hours are there in a day? | 24 | twenty-four
    Which season comes after spring? | summer`,
  nature: `
    Which animal says "meow"? | cat
    Which animal gives us wool? | sheep
    Which insect makes honey? | bee | bees
    How many legs does a spider have? | 8 | eight
    How many legs does a dog have? | 4 | four
    What do we call a young dog? | puppy | pup
    What do we call frozen water? | ice
    Which planet do we live on? | Earth
    What is the star at the centre of our solar system called? | Sun
    Which is the largest ocean on Earth? | Pacific
    At what temperature in degrees Celsius does water boil? | 100 | hundred
    Which gas do plants take in from the air? | carbon dioxide | CO2`,
}

export const GENERAL_QUESTIONS: readonly {
  category: string
  question: string
  accept: readonly string[]
}[] = Object.entries(QUESTIONS).flatMap(([category, text]) =>
  text
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((part) => part.trim()))
    .map(([question = '', ...accept]) => ({ category, question, accept })),
)

const prose = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.length > 0)

export const GENERAL_PROSE: readonly string[] = prose(`
  The morning train left the station a few minutes late, and the passengers folded their newspapers without a word.
  A loaf of bread needs only flour, water, salt and time, but the time is what most bakers find hardest to give.
  When the rain stopped, the children of the village ran out to see how high the river had risen.
  Maps were once drawn by hand, and each copy carried small mistakes that later travellers had to correct.
  The old bridge is made of stone and has stood over the river for three hundred years.
  She kept a small notebook in her coat and wrote down every bird that she saw on her walks.
  Glass is made by melting sand at a very high temperature and letting it cool slowly.
  In autumn the leaves turn yellow and red because the tree stops making the green colour that hid the others.
  The library opens at nine, but a few readers are always waiting on the steps before that.
  He repaired clocks for a living and liked the moment when a silent one began to tick again.
  Salt was once so valuable that long roads were built only to carry it from the coast to the mountains.
  The kitchen smelled of onions and butter, and somebody was humming behind the stove.
  A good tent is light, keeps out the wind and can be put up in the dark.
  The moon has no light of its own; it shows us the light of the sun.
  My grandfather planted this walnut tree when he was twenty, and he never saw it bear more than a handful of nuts.
  Most of the houses in the street were painted white, so the blue one at the corner was easy to find.
  Bees visit a great many flowers to make a single spoon of honey.
  The ferry crosses the bay twice a day in winter and every hour in summer.
  To learn a song by heart, it helps to sing it slowly before singing it fast.
  The market closes at noon, and by one o'clock the square is swept and quiet.
  Paper was invented in China, and it took about a thousand years to reach the west of Europe.
  The cat slept on the warm stones of the wall and opened one eye whenever a bicycle passed.
  A letter from the coast took four days to arrive, and the answer took four more.
  Before there were refrigerators, ice was cut from lakes in winter and kept in straw until the summer.
  The carpenter measured the door twice, planed a thin strip from its edge and hung it again.
  Mountains look blue from far away because the air between us and them scatters the light.
  The orchestra tuned its instruments while the last listeners looked for their seats.
  Potatoes came to Europe from South America and were at first grown for their flowers.
  The path climbs through a beech wood, crosses a stream and ends at a small hut.
  Soap works because one end of it clings to water and the other end clings to grease.
  On Sundays the whole family met for lunch, and nobody was allowed to talk about work.
  A lighthouse stands at the end of the pier, painted in bands of red and white.
  The teacher drew a circle on the board and asked how one might find its middle.
  Swallows leave in September and find their way back to the same barn in spring.
  The baker's shop had a bell on the door that rang a little too loudly.
  Rivers carry sand and stones to the sea, and so the mountains become lower over time.
  He packed two shirts, a jumper and a book that he had already read twice.
  The first bicycles had no pedals; their riders pushed themselves along with their feet.
  Tea tastes bitter when the leaves stay in the water for too long.
  The town hall was built after the great fire, on the place where the grain store had been.
  A garden needs somebody who looks at it every day, even if there is nothing to do.
  The bus stops at the school, at the post office and at the edge of the forest.
  Wool keeps us warm because it holds a great deal of air between its fibres.
  They painted the boat in May, and in June it went back into the water.
  The clouds moved quickly, although there was hardly any wind in the valley.
  An atlas from that time shows large white spaces where nobody had yet measured the land.
  The violin had hung on the wall for years, and two of its strings were missing.
  Cheese was a way of keeping milk through the winter, long before it became a delicacy.
  The postman knew every dog in the street by name and carried biscuits for most of them.
  In the museum there is a wooden wheel that is more than five thousand years old.
  The lake freezes in January, and for a few weeks people walk across it to work.
  She read the recipe once, closed the book and cooked from memory.
  Owls fly almost without a sound because the edges of their feathers are soft.
  The stairs creaked on the third and on the seventh step, and the boys knew to jump over them.
  A compass points to the north because the earth itself is a large magnet.
  The winter was long, and the wood that had been meant for two years was gone by March.
  At the harbour the nets hung in the sun to dry, and the gulls waited on the roofs.
  Every spring the river floods the lower meadows and leaves them greener than before.
  The shoemaker's window was so dusty that one could hardly see the shoes in it.
  A sundial is a clock that needs no winding, but it does not work at night.
`)
