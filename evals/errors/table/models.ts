/** @file Errors of checkpoints, tokenizers, chat templates and adapters, and of models of the wrong kind. */
import { entry } from './entry.ts'

export const MODELS_ERRORS = {
  'checkpoint.not-found': entry((v: { path: string }) => ({
    message: `There is nothing at ${v.path}.`,
    remedy: 'Check the path; it must name a model folder, an adapter folder or a .gguf file.',
  })),
  'file.unreadable': entry((v: { path: string; why: string }) => ({
    message: `${v.path} cannot be read: ${v.why}.`,
    remedy: 'Check that it is the file you mean, its permissions and its size; nothing was loaded.',
  })),
  'checkpoint.unrecognised': entry((v: { path: string; found: string; supported: string }) => ({
    message: `${v.path} is not a model that Touchstone can read: found ${v.found}; supported: ${v.supported}.`,
    remedy:
      'Point --model at a Hugging Face folder with config.json and .safetensors files, or at a .gguf file.',
  })),
  'checkpoint.malformed': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} is damaged or hostile: found ${v.found}; expected ${v.expected}.`,
    remedy:
      'Download or copy the file again and compare its digest with the publisher’s; nothing was loaded.',
  })),
  'checkpoint.shards': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} is one of several GGUF files that make a model: found ${v.found}; expected ${v.expected}.`,
    remedy: 'Put all files of the model into one folder under the names they were published with.',
  })),
  'checkpoint.unsupported': entry(
    (v: { path: string; what: string; found: string; supported: string }) => ({
      message: `${v.path} uses ${v.what} "${v.found}", which Touchstone cannot read; supported: ${v.supported}.`,
      remedy: 'Convert the model to a supported form, for example safetensors in float16.',
    }),
  ),
  'blocks.needs-addon': entry((v: { why: string }) => ({
    message: `A base can be multiplied in its file's blocks only by the C++ addon, and ${v.why}.`,
    remedy:
      'Run npm run build:native (touchstone doctor says what it needs); or use --base-precision fp32, or int8 for less memory.',
  })),
  'blocks.approximate': entry((v: { other: string }) => ({
    message: `With --base-precision blocks-int8 the base is asked approximately and ${v.other} would be asked exactly, so a difference could be the rounding's.`,
    remedy: 'Use --base-precision blocks, which asks both exactly.',
  })),
  'cache.precision': entry((v: { precision: string; why: string }) => ({
    message: `The keys and values cannot be kept in ${v.precision}: ${v.why}.`,
    remedy: 'Leave --cache-precision out.',
  })),
  'blocks.none': entry((v: { path: string; found: string; supported: string }) => ({
    message: `${v.path} has no matrix in blocks that can be multiplied: found ${v.found}; supported: ${v.supported}.`,
    remedy: 'Leave --base-precision blocks out, or give a GGUF file quantised to one of these.',
  })),
  'checkpoint.changed': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} is not what was recorded: found sha256 ${v.found}; expected ${v.expected}.`,
    remedy: 'Get the files again from where they came from, or measure what lies there now.',
  })),
  'checkpoint.pickle': entry((v: { path: string }) => ({
    message: `${v.path} is a pickle, which can run code when opened; Touchstone never opens one.`,
    remedy: 'Convert it to .safetensors on a machine that you trust.',
  })),
  'checkpoint.weight-missing': entry(
    (v: { path: string; name: string; near: readonly string[] }) => ({
      message: `${v.path} holds no weight named "${v.name}"${v.near.length > 0 ? ` (near: ${v.near.join(', ')})` : ''}.`,
      remedy: 'Check that the files belong to the architecture that config.json names.',
    }),
  ),
  'checkpoint.weight-shape': entry(
    (v: { path: string; name: string; found: string; expected: string }) => ({
      message: `${v.path}: weight "${v.name}" has shape ${v.found}; the configuration asks for ${v.expected}.`,
      remedy: 'Use the config.json that was published with these weights.',
    }),
  ),
  'tokenizer.unsupported': entry((v: { path: string; found: string; supported: string }) => ({
    message: `${v.path}: the tokenizer "${v.found}" cannot be used; supported: ${v.supported}.`,
    remedy: 'Use a model with a tokenizer.json, or a GGUF file with a BPE tokenizer.',
  })),
  'model.not-finite': entry((v: { arm: string; seed: number; step: number; what: string }) => ({
    message: `What ${v.arm} (seed ${v.seed}, step ${v.step}) computes is not a finite number: ${v.what}.`,
    remedy:
      'Its weights hold what is no number, or numbers so large that sums overflow: use an earlier checkpoint, or train again with a lower --learning-rate or --alpha.',
  })),
  'tokenizer.stopped': entry((v: { path: string; characters: number; why: string }) => ({
    message: `The tokenizer of ${v.path} was stopped on a text of ${v.characters} characters: ${v.why}.`,
    remedy:
      'Use the tokenizer.json that was published with the model; where it is, shorten or leave out that text.',
  })),
  'template.missing': entry((v: { path: string }) => ({
    message: `${v.path} carries no chat template.`,
    remedy:
      'Add the publisher’s chat_template.jinja to the folder, or use an instruction-tuned model.',
  })),
  'template.failed': entry((v: { path: string; why: string }) => ({
    message: `The chat template of ${v.path} failed: ${v.why}.`,
    remedy: 'Use the template that was published with the model, or mend it.',
  })),
  'template.not-a-prefix': entry((v: { path: string; turn: number }) => ({
    message: `The reply at turn ${v.turn} cannot be located in what the chat template of ${v.path} makes of its conversation.`,
    remedy:
      'Leave such rows out (--skip-unlocated), or use a template with {% generation %} marks around replies.',
  })),
  'prompt.too-long': entry((v: { key: string; tokens: number; limit: number }) => ({
    message: `The text "${v.key}" needs ${v.tokens} tokens; the model takes 1 to ${v.limit}.`,
    remedy: 'Shorten that text or lower the number of new tokens; it must not be empty.',
  })),
  'adapter.other-base': entry((v: { path: string; module: string }) => ({
    message: `The adapter ${v.path} adapts "${v.module}", which the base does not have in that shape.`,
    remedy: 'Give the base model that this adapter was trained on with --model.',
  })),
  'candidate.both': entry((v: { path: string }) => ({
    message: `${v.path} holds an adapter and a whole model, and programs differ in which of them they load.`,
    remedy: 'Move one of them into a folder of its own, and name the folder that you will use.',
  })),
  'candidate.unchanged': entry((v: { path: string }) => ({
    message: `${v.path} changes no weight of the base, so there is nothing to measure: what changed nothing passes.`,
    remedy:
      'Name the folder that the fine-tune was saved to, and see that its weights are in it: a training on several cards may save an adapter without any.',
  })),
  'candidate.made-unchanged': entry((v: { spec: string }) => ({
    message: `${v.spec} changes no weight of the base, so there is nothing to measure: what changed nothing passes.`,
    remedy:
      'Ask for more of it: a larger share of prune, fewer bits, or adapters that were trained.',
  })),
  'compress.number': entry((v: { spec: string }) => ({
    message: `"${v.spec}" is no compression: prune takes a share above 0 and below 1 after a colon, budget takes bits a number, the others take nothing.`,
    remedy: 'Write --compress nf4, --compress prune:0.25 or --compress budget:2.75.',
  })),
  'compress.budget': entry((v: { budget: number; least: number }) => ({
    message: `The budget of ${Math.floor(v.budget)} bits is below ${Math.ceil(v.least)}, which the smallest formats take.`,
    remedy: 'Write --compress budget:2.75, or another number above 2.1 bits.',
  })),
  'compress.blocks': entry((v: { name: string; columns: number; block: number }) => ({
    message: `${v.name} stores rows in blocks of ${v.block} numbers; this model has rows of ${v.columns}.`,
    remedy: 'Choose nf4, nf3, nf2 or int8, which take any width.',
  })),
  'merge.ranks-differ': entry((v: { layer: string; found: readonly number[] }) => ({
    message: `The adapters change ${v.layer} with ranks ${v.found.join(', ')}; this way of merging adds A and B apart, which needs equal ones.`,
    remedy: 'Choose --how svd or concat, which merge the changes themselves.',
  })),
  'merge.too-few-units': entry((v: { layer: string; rank: number; units: number }) => ({
    message: `${v.layer} has ${v.units} rank-one units in all adapters together, fewer than the rank ${v.rank}.`,
    remedy: `Ask for a --rank of at most ${v.units}.`,
  })),
  'merge.not-low-rank': entry((v: { path: string; found: string }) => ({
    message: `${v.path} is not B·A on the stored base alone: it has ${v.found}.`,
    remedy: 'Merge it into its base with touchstone export-model, or merge plain LoRA adapters.',
  })),
  'merge.other-base': entry((v: { path: string; found: string; expected: string }) => ({
    message: `${v.path} names another base: found ${v.found}; expected ${v.expected}.`,
    remedy: 'Merge adapters of one base; if it is the same under two names, add --same-base.',
  })),
  'merge.not-in-peft': entry((v: { name: string }) => ({
    message: `PEFT has no way of merging that is ${v.name}.`,
    remedy: 'Leave --peft-compat out.',
  })),
  'merge.weights': entry((v: { found: readonly number[]; adapters: number }) => ({
    message: `The weights ${v.found.join(', ')} are not ${v.adapters} numbers of 0 or more with one above 0; a change is never taken away from a model.`,
    remedy: 'Give one weight an adapter, in their order: --weights 0.7,0.3.',
  })),
  'merge.exists': entry((v: { path: string }) => ({
    message: `${v.path} already holds an adapter.`,
    remedy: 'Name another folder with -o, or delete that one.',
  })),
  'generate.unlike': entry((v: { path: string; found: string }) => ({
    message: `A generator cannot learn from ${v.path} beside the others: it has ${v.found}.`,
    remedy:
      'Name plain LoRA adapters of one base that change the same layers at one rank and alpha.',
  })),
  'generate.too-few': entry((v: { found: number }) => ({
    message: `A generator learns from two adapters or more, and ${v.found} are named.`,
    remedy: 'Train the task several times, each with its own seed, and name every folder.',
  })),
  'mixture.expert': entry((v: { path: string; found: string }) => ({
    message: `${v.path} cannot be an expert: it has ${v.found}.`,
    remedy: 'Mix plain LoRA adapters of one base, with --rank at least the largest of theirs.',
  })),
  'mixture.too-few': entry((v: { found: number }) => ({
    message: `A mixture needs two adapters or more, and ${v.found} are named.`,
    remedy: 'Name their folders: --x-lora.adapters out/a,out/b.',
  })),
  'mixture.folder': entry((v: { path: string; why: string }) => ({
    message: `${v.path} is no mixture that can be read: ${v.why}.`,
    remedy: 'Save it again with its classifier and its adapters beside it.',
  })),
  'mixture.unmergeable': entry((v: { path: string; title: string }) => ({
    message: `${v.path} is a mixture of experts (${v.title}): its weights depend on the text, so there is no model that it could be merged into.`,
    remedy: 'Measure and serve it as it is, or export one of its adapters.',
  })),
  'model.encoder': entry((v: { architecture: string }) => ({
    message: `A model of type ${v.architecture} is an encoder: it names the class of a text and writes no reply.`,
    remedy:
      'Use train on rows of text and label, audit, eval or mitigate with --suite FILE of such rows, spectral or inspect; for everything else choose a causal model.',
  })),
  'model.not-an-encoder': entry((v: { architecture: string }) => ({
    message: `A model of type ${v.architecture} generates text; it gives neither classes nor embeddings.`,
    remedy: 'Choose an encoder: a model of type bert, roberta or distilbert.',
  })),
  'model.no-classes': entry((v: { path: string }) => ({
    message: `${v.path} is an encoder without a classification head, so it can name no class.`,
    remedy:
      'Train one first: touchstone train --model PATH --data rows.csv with columns text and label.',
  })),
} as const
