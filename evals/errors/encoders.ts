/** @file Errors of models that read a text and write none, and of the classes that they name. */
import { entry } from './entry.ts'

export const ENCODER_ERRORS = {
  'model.encoder': entry((v: { architecture: string }) => ({
    message: `A model of type ${v.architecture} reads a text and names its class; it writes nothing, so it cannot be asked for a reply, for the probability of one, or with a chat template.`,
    remedy:
      'Use train on rows of text and label, audit, eval or mitigate with --suite FILE of such rows, spectral or inspect; for everything else choose a model that writes.',
  })),
  'model.not-an-encoder': entry((v: { architecture: string }) => ({
    message: `A model of type ${v.architecture} writes a text; it gives neither classes nor embeddings.`,
    remedy: 'Choose an encoder: a model of type bert, roberta or distilbert.',
  })),
  'model.no-classes': entry((v: { path: string }) => ({
    message: `${v.path} is an encoder without a classification head, so it can name no class.`,
    remedy:
      'Train one first: touchstone train --model PATH --data rows.csv with columns text and label.',
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
} as const
