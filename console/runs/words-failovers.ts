import { dictionary } from '../kit/dictionary.ts';

/** A run that went over to the fallback of its provider. */
export const failoverWords = dictionary(
  {
    since: (when: string, to: string, from: string, why: string) =>
      `Desde ${when} envia por “${to}”, porque “${from}” ${why}.`,
    causes: {
      account: (code: string) => `recusou a conta (${code})`,
      unavailable: (code: string) => `não aceitou nada por tempo demais (${code})`,
    },
    unknown: (from: string, count: string) => `Incertas que “${from}” pode ter aceitado: ${count}.`,
    tooLong: (count: string) => `Deixadas de fora, por precisarem ali de mais segmentos: ${count}.`,
  },
  {
    since: (when, to, from, why) => `Since ${when} it sends through “${to}”, because “${from}” ${why}.`,
    causes: {
      account: (code) => `refused the account (${code})`,
      unavailable: (code) => `took nothing for too long (${code})`,
    },
    unknown: (from, count) => `Unknown, because “${from}” may have taken them: ${count}.`,
    tooLong: (count) => `Left out, because they need more segments there: ${count}.`,
  },
);
