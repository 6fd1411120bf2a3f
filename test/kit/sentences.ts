import { z } from 'zod';
import { createFormat, type Format } from '../../domain/format.ts';
import type { Locale } from '../../domain/user.ts';

/** Of any parameters. */
interface AnySentence {
  params: z.ZodType;
  words: Readonly<Record<Locale, string | ((params: never, format: Format) => string)>>;
}

/** So many examples show every choice of the longest enumeration. */
const examples = 24;
const formats = { en: createFormat('en', null), 'pt-BR': createFormat('pt-BR', null) };

/** Parameters that show each of a sentence's options, with and without what is optional. */
export const parametersOf = <T extends z.ZodType>(params: T): z.output<T>[] => {
  const schema = z.toJSONSchema(params, { io: 'input' });
  return Array.from({ length: examples }, (_, index) => params.parse(sample(schema, index)));
};

/** A sentence in both languages, with such parameters. */
export const samplesOf = ({ params, words }: AnySentence): Record<Locale, string>[] =>
  parametersOf(params).map((values) => {
    const say = (locale: Locale): string => {
      const said = words[locale];
      return typeof said === 'string' ? said : said(values as never, formats[locale]);
    };
    return { en: say('en'), 'pt-BR': say('pt-BR') };
  });

/** Words that a Portuguese sentence does not have: what finds one in it has found English. */
export const englishWords =
  /\b(?:the|and|with|this|that|these|is|are|not|of|has|have|was|were|from|there|which|its|cannot|must|expected|choose|enter)\b/i;

function sample(schema: z.core.JSONSchema._JSONSchema, index: number): unknown {
  if (typeof schema === 'boolean') throw new Error('No sample of any value.');
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return sample(choices[index % choices.length] ?? true, index);
  // Whatever it is: what can't be read is left out of the sentence.
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
          // One with and one without what may be left out.
          .filter(([name]) => schema.required?.includes(name) === true || index % 2 === 0)
          .map(([name, inner]) => [name, sample(inner, index >> 1)]),
      );
    case undefined:
    default:
      throw new Error(`No sample of ${JSON.stringify(schema)}.`);
  }
}
