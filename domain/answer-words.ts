import type { CampaignDraft } from './campaign.ts';
import { type Problem, problem } from './problems/coded.ts';
import { bareWord } from './reply.ts';

/**
 * The opt-out words that a message offers as an answer ("Responda CONFIRMAR ou CANCELAR"), as its text contains them: a
 * recipient who replies with one answers the message and does not opt out. Excludes a word that the text explains as an
 * opt-out ("Responda SAIR para não receber mais"), or that is the only one offered, as is usual for opt-outs ("SMS
 * grátis. Responda PARE.").
 */
export function offeredAnswers(text: string, optOutWords: readonly string[]): string[] {
  const known = new Set(optOutWords.map(bareWord));
  const tokens = [...text.matchAll(/[\p{L}\p{N}]+/gu)].map((match) => ({
    written: match[0],
    bare: bareWord(match[0]),
    at: match.index,
    end: match.index + match[0].length,
  }));
  const between = (one: number, other: number): string =>
    text.slice(tokens[one]?.end ?? 0, tokens[other]?.at ?? text.length);
  const sameSentence = (one: number, other: number): boolean => !/[.!?;\n]\s/.test(between(one, other));

  const isOffered = (index: number): boolean => {
    const cue = tokens.findLastIndex(({ bare }, at) => at < index && cues.has(bare));
    if (cue === -1 || !sameSentence(cue, index)) return false;
    if (purposes.has(tokens[index - 1]?.bare ?? '')) return false;
    // "CANCELAR para desmarcar" is an answer, "PARE para não receber mais" is not.
    const next = tokens[index + 1];
    if (next && purposes.has(next.bare) && sameSentence(index, index + 1))
      return !leaves(tokens.slice(index + 2));
    // "Para desmarcar responda CANCELAR".
    const purpose = tokens.findLastIndex(
      ({ bare }, at) => at < cue && purposes.has(bare) && sameSentence(at, cue),
    );
    if (purpose !== -1 && cue - purpose <= 6) return !leaves(tokens.slice(purpose + 1, cue));
    return [index - 1, index + 1].some((other) => isAlternative(other, index));
  };
  /** Next to it, joined by "ou" or a slash, is an answer that does not opt out. */
  const isAlternative = (neighbor: number, index: number): boolean => {
    const step = neighbor < index ? -1 : 1;
    const word = tokens[neighbor];
    if (!word) return false;
    const joined = joins.has(word.bare);
    const other = tokens[joined ? neighbor + step : neighbor];
    if (!other || known.has(other.bare) || cues.has(other.bare)) return false;
    const glue = step < 0 ? text.slice(word.end, tokens[index]?.at) : text.slice(tokens[index]?.end, word.at);
    return joined || /^\s*[/|,]\s*$/.test(glue);
  };
  return [
    ...new Set(
      tokens.filter(({ bare }, index) => known.has(bare) && isOffered(index)).map((one) => one.written),
    ),
  ];
}

/** Possible mistakes in a campaign; none blocks running it. */
export function campaignWarnings({ message }: CampaignDraft, optOutWords: readonly string[]): Problem[] {
  const answers = new Set(message.answers.map(bareWord));
  const optingOut = optOutWords.filter((word) => !answers.has(bareWord(word)));
  const words = offeredAnswers(message.template ?? '', optingOut);
  return words.length === 0 ? [] : [problem('message.template', 'answer_opts_out', { words })];
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '));
const cues = words(
  'responda responder responde resposta respondendo digite envie enviar mande mandar escreva reply text answer send type',
);
const joins = words('ou or e and');
const purposes = words('para p pra to se if');
const leaving = words(
  'sair nao parar descadastrar descadastro descadastramento remover deixar stop unsubscribe optout opt receber recebimento sms',
);

/** Whether the words after "para" mean receiving no more messages. */
const leaves = (tokens: readonly { bare: string }[]): boolean =>
  tokens.slice(0, 4).some(({ bare }) => leaving.has(bare));
