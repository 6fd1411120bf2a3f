import { expect, test } from 'vitest';
import { problemSentences } from '../../domain/problems/catalog.ts';
import { campaignSentences } from '../../domain/problems/campaigns.ts';
import { errorSentences } from '../../domain/problems/errors.ts';
import { fieldSentences } from '../../domain/problems/fields.ts';
import { fileSentences, lineSentences, skipSentences } from '../../domain/problems/mailings.ts';
import { settingSentences } from '../../domain/problems/settings.ts';
import { webserviceSentences } from '../../domain/problems/webservices.ts';
import { englishWords, samplesOf } from '../kit/sentences.ts';

const groups = {
  fieldSentences,
  campaignSentences,
  fileSentences,
  lineSentences,
  skipSentences,
  settingSentences,
  webserviceSentences,
};

test.each([...Object.entries(problemSentences), ...Object.entries(errorSentences)])(
  '%s is a sentence in both languages, whatever its parameters are',
  (_, sentence) => {
    for (const { en, 'pt-BR': pt } of samplesOf(sentence)) {
      expect(en).not.toBe(pt);
      expect(pt).not.toMatch(englishWords);
      for (const words of [en, pt]) {
        expect(words).toMatch(/^[^ ].*[^ ]$/);
        expect(words).not.toMatch(/undefined|\[object|NaN| {2}/);
      }
    }
  },
);

test('a code belongs to one group of the catalog only', () => {
  const codes = Object.values(groups).flatMap((group) => Object.keys(group));
  expect(codes).toHaveLength(new Set(codes).size);
  expect(codes.toSorted()).toEqual(Object.keys(problemSentences).toSorted());
});
