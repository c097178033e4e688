/** @file Errors of fine-tuning data, benchmarks, labels and judges. */
import { entry } from './entry.ts'

export const DATA_ERRORS = {
  'data.unreadable': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} cannot be read as data: found ${v.found}; expected ${v.expected}.`,
    remedy: 'Give a JSONL, JSON, CSV, Parquet or text file in UTF-8, its name ending accordingly.',
  })),
  'data.too-large': entry((v: { path: string; bytes: number; most: number }) => ({
    message: `${v.path} has ${v.bytes} bytes; data is read whole up to ${v.most}.`,
    remedy: `Take a sample of its rows, ${v.path}#20000 say, or write one: touchstone data ${v.path}#20000 -o rows.jsonl.`,
  })),
  'data.empty': entry((v: { path: string }) => ({
    message: `${v.path} holds no rows that can be trained on.`,
    remedy:
      'Give a file with at least one row that ends in an assistant reply, or one of raw text.',
  })),
  'data.columns': entry(
    (v: { path: string; columns: readonly string[]; formats: readonly string[] }) => ({
      message: `${v.path} is no known form of fine-tuning data; its columns are ${v.columns.slice(0, 20).join(', ')}.`,
      remedy: `Known are ${v.formats.join('; ')}. Name other columns with --map prompt=COLUMN,reply=COLUMN, or --map text=COLUMN.`,
    }),
  ),
  'data.row': entry((v: { path: string; row: number; why: string }) => ({
    message: `${v.path}, row ${v.row}: ${v.why}.`,
    remedy:
      'Mend or remove that row and run this again, or write a copy without such rows by `touchstone data FILE -o clean.jsonl`.',
  })),
  'data.row-too-long': entry((v: { row: number; tokens: number; limit: number }) => ({
    message: `Row ${v.row} of the data has ${v.tokens} tokens, above ${v.limit}.`,
    remedy: 'Raise --max-tokens, or let --truncation cut such rows, split them or leave them out.',
  })),
  'data.number': entry((v: { path: string; word: string; most: number }) => ({
    message: `${v.path} is given "${v.word.slice(0, 40)}" where a number between −${v.most} and ${v.most} belongs.`,
    remedy: 'Write each row as numbers separated by blanks, in the order that the model expects.',
  })),
  'data.place': entry((v: { path: string; row: number; found: string }) => ({
    message: `${v.path}, row ${v.row}: ${v.found} is no place on the earth.`,
    remedy: 'Write lon in degrees from −180 to 180, and lat from −90 to 90.',
  })),
  'data.pixels': entry((v: { path: string; row: number }) => ({
    message: `${v.path}, row ${v.row}: the pixels are no 64 numbers from 0 to 16.`,
    remedy: 'Write pixels as 64 numbers from 0 (blank) to 16 (ink), row by row, between blanks.',
  })),
  'data.scene': entry((v: { path: string; row: number; why: string }) => ({
    message: `${v.path}, row ${v.row}, is no scene: ${v.why}.`,
    remedy:
      'Write {image: {w, h}, ocr: [{text, box: [x0, y0, x1, y1], conf}], regions: [{box, score}], question, answers} for each; docs/tasks/scene-text.md shows one.',
  })),
  'task.not-held-out': entry(
    (v: {
      path: string
      data: string
      rows: number
      same: number
      near: number
      first: string | null
    }) => ({
      message: `Of ${v.rows} rows of ${v.path}, ${v.same} ask what a row of ${v.data} asks${v.first === null ? '' : ` (the first is row ${v.first})`}, and ${v.near} others nearly so with the same answer.`,
      remedy:
        'Rows that were trained on do not show that a task was learnt: take them out of one of the two files, or name rows that no fine-tune sees with --task.',
    }),
  ),
  'task.columns': entry(
    (v: { path: string; missing: readonly string[]; columns: readonly string[] }) => ({
      message: `${v.path} lacks ${v.missing.join(', ')}; its columns are ${v.columns.slice(0, 20).join(', ')}.`,
      remedy: 'Name the columns as docs/tasks/README.md does for this task.',
    }),
  ),
  'task.unreadable': entry((v: { path: string; found: string }) => ({
    message: `${v.path} cannot be read as rows of a task: found ${v.found}.`,
    remedy:
      'Give a CSV, JSON, JSONL or Parquet file in UTF-8, its name ending accordingly, or FASTA for transcripts; docs/tasks/README.md links the columns of each task.',
  })),
  'task.fasta': entry((v: { path: string; found: string }) => ({
    message: `${v.path} is no FASTA file: it begins with "${v.found}", not with ">".`,
    remedy:
      'Give records such as >id|lncRNA|human and a line of nucleotides, or a .csv of id, sequence, label and species.',
  })),
  'task.rows': entry((v: { path: string; clusters: number }) => ({
    message: `${v.path} holds ${v.clusters === 0 ? 'no row that can be used' : 'rows of one group alone'}: some groups are learnt, and others held out.`,
    remedy:
      'Give rows of at least two sites, transcripts or scenes; docs/tasks/README.md says which.',
  })),
  'data.target': entry((v: { path: string; row: number; found: string; width: number }) => ({
    message: `Row ${v.row} of ${v.path} has the target "${v.found}", not ${v.width} numbers.`,
    remedy: `Write ${v.width} finite numbers, separated by blanks, as the row's label.`,
  })),
  'data.class': entry(
    (v: { path: string; row?: number; label: string; known: readonly string[] }) => ({
      message: `${v.path}${v.row === undefined ? '' : `, row ${v.row}`}: the label "${v.label}" is none of the model’s classes.`,
      remedy: `Its classes are ${v.known.slice(0, 20).join(', ')}; write the labels so, or as their numbers from 0.`,
    }),
  ),
  'data.classes': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} cannot teach a model to tell classes apart: found ${v.found}; expected ${v.expected}.`,
    remedy: 'Give rows of one text and one label each, in columns text and label.',
  })),
  'benchmark.one-label': entry((v: { path: string }) => ({
    message: `${v.path} has one label in all of its rows: a model that always gives it would be right throughout.`,
    remedy: 'Give rows of every label that the model is to tell apart.',
  })),
  'benchmark.unreadable': entry((v: { path: string; found: string }) => ({
    message: `${v.path} cannot be read as a benchmark: found ${v.found}.`,
    remedy: 'Give a CSV, JSON, JSONL or Parquet file as it was published, in UTF-8.',
  })),
  'benchmark.columns': entry(
    (v: {
      path: string
      family: string
      missing: readonly string[]
      columns: readonly string[]
    }) => ({
      message: `${v.path} is nearly ${v.family}, but lacks ${v.missing.join(', ')}; its columns are ${v.columns.slice(0, 20).join(', ')}.`,
      remedy: 'Give the file as it was published, or say what its columns hold with --map.',
    }),
  ),
  'contexts.unusable': entry((v: { path: string; why: string }) => ({
    message: `${v.path} holds no contexts that can be used: ${v.why}.`,
    remedy:
      'Give a YAML or JSON file such as {"contexts": [{"name": "night-desk", "system": "You answer at night."}]}; docs/contexts.md lists every setting.',
  })),
  'benchmark.ambiguous': entry((v: { path: string; families: readonly string[] }) => ({
    message: `${v.path} has the columns of ${v.families.join(' and ')}, and its name does not say which it is.`,
    remedy: `Say which: --suite ${v.families[0] ?? 'NAME'}=${v.path}.`,
  })),
  'benchmark.unknown': entry((v: { path: string; columns: readonly string[]; map: string }) => ({
    message: `${v.path} has the columns of no benchmark that Touchstone knows: ${v.columns.slice(0, 20).join(', ')}.`,
    remedy: `Say what they hold: ${v.map}. Columns prompt and expected, messages and expected, or question and answer need no map.`,
  })),
  'benchmark.examples': entry((v: { path: string; wanted: readonly string[] }) => ({
    message: `${v.path} needs solved examples before its questions, and there is no file with them.`,
    remedy:
      v.wanted.length > 0
        ? `Put the dev questions at ${v.wanted.join(' or ')}.`
        : 'Keep "test" in its name, and put the file with "dev" in place of it beside it.',
  })),
  'benchmark.row': entry((v: { path: string; row: number; why: string }) => ({
    message: `${v.path}, row ${v.row}: ${v.why}.`,
    remedy: 'Mend or remove that row; the header does not count, nor do line ends inside fields.',
  })),
  'benchmark.label': entry(
    (v: { path: string; label: string; values: readonly string[]; map: string }) => ({
      message: `${v.path}: the column "${v.label}" holds ${v.values.join(' and ')}, and its name does not say which of 1 and 0 is to be refused. Two readings: 1 is to be refused and 0 to be answered, or 0 is to be refused and 1 to be answered.`,
      remedy: `Say which: --map ${v.map},refuse=1 or --map ${v.map},refuse=0. Words such as safe and unsafe in the column, or a column called safe or harmful, say it themselves.`,
    }),
  ),
  'benchmark.needs-file': entry((v: { name: string }) => ({
    message: `${v.name} is read from a file of yours; Touchstone ships none of its prompts.`,
    remedy: `Name the file: --suite ${v.name}=PATH.`,
  })),
  'labels.file': entry((v: { path: string; why: string }) => ({
    message: `${v.path} cannot be read as labels: ${v.why}.`,
    remedy:
      'Fill in the column "outcome" of the file that touchstone label export wrote; nothing was stored.',
  })),
  'labels.nothing': entry((v: { run: string }) => ({
    message: `The run ${v.run} has no labels yet.`,
    remedy: 'Write a file with touchstone label export, fill it in, and read it with label import.',
  })),
  'judge.file': entry((v: { path: string; why: string }) => ({
    message: `${v.path} cannot be used as a judge: ${v.why}.`,
    remedy:
      'Give a JSON object whose "template" (classifier) or "user" (rubric) holds {prompt} and {reply}.',
  })),
  'judge.address': entry((v: { url: string; why: string }) => ({
    message: `The judge at ${v.url} cannot be asked: ${v.why}.`,
    remedy:
      'Write --judge rubric=URL#MODEL, URL up to /v1 and a key in TOUCHSTONE_JUDGE_KEY; another machine needs a reason in --send-replies, which is logged.',
  })),
} as const
