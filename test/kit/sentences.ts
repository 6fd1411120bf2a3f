import { z } from 'zod';
import { createFormat, type Format } from '../../domain/format.ts';
import type { Locale } from '../../domain/user.ts';

/** A sentence with any parameters. */
interface AnySentence {
  params: z.ZodType;
  words: Readonly<Record<Locale, string | ((params: never, format: Format) => string)>>;
}

/** Enough examples for every value of the longest enumeration. */
const examples = 24;
const formats = { en: createFormat('en', null), 'pt-BR': createFormat('pt-BR', null) };

/** Sample parameters that cover every option of a sentence, with and without optional ones. */
export const parametersOf = <T extends z.ZodType>(params: T): z.output<T>[] => {
  const schema = z.toJSONSchema(params, { io: 'input' });
  return Array.from({ length: examples }, (_, index) => params.parse(sample(schema, index)));
};

/** A sentence in both languages with sample parameters. */
export const samplesOf = ({ params, words }: AnySentence): Record<Locale, string>[] =>
  parametersOf(params).map((values) => {
    const sentenceIn = (locale: Locale): string => {
      const sentence = words[locale];
      return typeof sentence === 'string' ? sentence : sentence(values as never, formats[locale]);
    };
    return { en: sentenceIn('en'), 'pt-BR': sentenceIn('pt-BR') };
  });

/** Matches words that occur in English sentences and not in Portuguese ones. */
export const englishWords =
  /\b(?:the|and|with|this|that|these|is|are|not|of|has|have|was|were|from|there|which|its|cannot|must|expected|choose|enter)\b/i;

function sample(schema: z.core.JSONSchema._JSONSchema, index: number): unknown {
  if (typeof schema === 'boolean') throw new Error('No sample of any value.');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return sample(choices[index % choices.length] ?? true, index);
  // Any value: the sentence leaves out values that it cannot read.
  if (Object.keys(schema).length === 0) return null;
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[index % schema.enum.length];
  if (Array.isArray(schema.type)) return sample({ ...schema, type: schema.type[index % 2] }, index >> 1);
  switch (schema.type) {
    case 'null':
      return null;
    case 'boolean':
      return index % 2 === 0;
    case 'integer':
    case 'number':
      return [1, 2, 1_234][index % 3];
    case 'string':
      return schema.format === 'date-time' ? '2026-03-31T12:00:00Z' : ['Xyzzy', '1234', '{'][index % 3];
    case 'array': {
      const { items } = schema;
      if (items === undefined || Array.isArray(items)) throw new Error('No sample of this list.');
      return [index, index + 1].slice(0, index % 3).map((inner) => sample(items, inner));
    }
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          // Every second sample leaves out the optional properties.
          .filter(([name]) => schema.required?.includes(name) === true || index % 2 === 0)
          .map(([name, inner]) => [name, sample(inner, index >> 1)]),
      );
    case undefined:
    default:
      throw new Error(`No sample of ${JSON.stringify(schema)}.`);
  }
}
