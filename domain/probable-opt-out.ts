import { loneWords, notCustomers, wishes } from './opt-out-phrases.ts';

/**
 * Whether a reply probably asks for no more messages, in words that are not an opt-out word ("quero sair", "me tira
 * dessa lista"). In Portuguese, with some English and Spanish.
 *
 * Prefers false alarms: a false alarm holds the phone until a user has looked at it, while a miss sends to someone who
 * asked to stop. Words with other meanings (sair, cancelar, parar) count only alone, in short texts, or next to what
 * they would opt out of. Someone who is not the customer counts as well ("número errado").
 */
export function isProbableOptOut(text: string, optOutWords: readonly string[]): boolean {
  if (stopSigns.test(text)) return true;
  const own = new Set(optOutWords.map((word) => tokensOf(word).join(' ')).filter((word) => word !== ''));
  const lines = withoutQuotations(text.split(/[\n\r]+/));
  return lines.some((line) => {
    const words = tokensOf(line);
    if (words.length === 0) return false;
    // A line of its own: SAIR above a signature.
    if (lines.length > 1 && own.has(words.join(' '))) return true;
    if (isWordAmongFillers(words, own)) return true;
    const sentence = ` ${words.join(' ')} `;
    if (wishes.some((phrase) => phrase.test(sentence))) return true;
    if (!line.trim().endsWith('?') && notCustomers.some((phrase) => phrase.test(sentence))) return true;
    // "PARE - João", "Sair. Att Maria".
    const parts = line.split(/[.!,;:|]\s+|\s[-–—]+\s/).map(tokensOf);
    return parts.length > 1 && parts.some((part) => isOwnSentence(part, own));
  });
}

/** A short opt-out word may be an abbreviation ("end. rua das Flores"). */
const isOwnSentence = (part: readonly string[], own: ReadonlySet<string>): boolean =>
  part.join(' ').length >= 4 && own.has(part.join(' '));

/** Signs that stand for the word. */
const stopSigns = /[\u26d4\u{1f6d1}\u{1f6ab}\u{1f4f5}\u{1f515}\u{1f595}]/u;

/** Without the lines that quote our message (`> Para sair, responda SAIR`), if there are others. */
function withoutQuotations(lines: readonly string[]): readonly string[] {
  const own = lines.filter((line) => !/^\s*>.*\S\s+\S/.test(line));
  return own.some((line) => line.trim() !== '') ? own : lines;
}

/** The words of a text: without case, accents, emoji and punctuation, with repeated letters reduced to one or two. */
function tokensOf(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{Cf}]/gu, '')
    .toLowerCase();
  // Separated letters form one word: "s.a.i.r", "p a r e".
  const joined = plain.replaceAll(/(?<![\p{L}\p{N}])(?:\p{L}[\s._*-]){2,}\p{L}(?![\p{L}\p{N}])/gu, (word) =>
    word.replaceAll(/[^\p{L}]/gu, ''),
  );
  return [...joined.matchAll(/[\p{L}\p{N}]+/gu)].map(([word]) => respelled(word));
}

/** Spelling variants of the words in the phrases. */
const spellings: ReadonlyMap<string, string> = new Map(
  Object.entries({
    nao: 'n ñ nn naum nau num noa naao nã',
    quero: 'qro kero qero quro queru qer kro qero quer',
    mais: 'mas + maiz mai mass',
    mensagem:
      'mensagens msg msgs msgm mensagen mensagems menssagem menssagens mensage mensajem mensagm mensgem mesagem mesagens mensaje mensajes',
    receber: 'reseber recebe receberr recber recever',
    favor: 'favo fvr faor',
    me: 'mi',
    que: 'q ki',
    porfavor: 'pf pfv pfvr pff plz pls please porfa porfavo',
    vc: 'voce vcs voces ce',
    pra: 'para p',
    sair: 'sari siar sairr sairei saiir asir sairr saur sait',
    pare: 'paree parre apre parw',
    parar: 'parra parrar prarar',
    stop: 'stpo sotp stopp estop stoop',
    cancelar: 'canselar cancela cancelae canclar cancealr cancelr kancelar cancelamento',
    dont: 'don',
  }).flatMap(([word, others]) => others.split(' ').map((other) => [other, word] as const)),
);

function respelled(word: string): string {
  const held = word.replaceAll(/(\p{L})\1{2,}/gu, '$1');
  return spellings.get(held) ?? held;
}

/** Words around a word that do not change its meaning. */
const fillers = new Set(
  (
    'por favor porfavor obrigado obrigada obg brigado brigada agradeco grato grata vlw valeu eu quero queria gostaria desejo ' +
    'preciso solicito peco exijo que de o a os as me isso ja agora urgente logo tudo todos todas ok oi ola bom boa dia ' +
    'tarde noite prezados senhores gente pessoal ai aqui daqui disso dessa dai so sim pode podem vc pra mim pois e ' +
    'mesmo entao quer vou imediatamente gentileza hoje ae ne thanks thank you i want to wanna would like the all now from this it sms'
  ).split(' '),
);

/** Only an opt-out word with polite words around it; also one with a typo. */
function isWordAmongFillers(line: readonly string[], own: ReadonlySet<string>): boolean {
  if (line.length > 12) return false;
  // Their own number, a CPF.
  const rest = line.filter((word) => !fillers.has(word) && !/^\d+$/.test(word));
  if (rest.length === 0) return false;
  const words = new Set(rest);
  // "SAIR SAIR SAIR", "sair stop".
  if ([...words].every((word) => own.has(word))) return true;
  const [only = ''] = words;
  if (words.size !== 1) return false;
  return (
    loneWords.has(only) ||
    (only.length >= 4 && !otherWords.has(only) && [...own].some((word) => isSlipOf(only, word)))
  );
}

/** Words that differ by one letter from an opt-out word but have another meaning. */
const otherWords = new Set(
  'cair saia saio saiu sara saidas parte parede pares para parei param pari pagar pago pode pane step shop stock quite quiz quis cancelou'.split(
    ' ',
  ),
);

/** One letter missing, doubled, wrong, or two of them swapped, in a word of at least four letters. */
function isSlipOf(written: string, word: string): boolean {
  if (word.length < 4 || Math.abs(written.length - word.length) > 1 || written === word) return false;
  let start = 0;
  while (start < word.length && written[start] === word[start]) start++;
  let end = 0;
  const most = Math.min(written.length, word.length) - start;
  while (end < most && written.at(-1 - end) === word.at(-1 - end)) end++;
  const [was, is] = [word.slice(start, word.length - end), written.slice(start, written.length - end)];
  const isExchanged = is.length === 2 && was.length === 2 && is[0] === was[1] && is[1] === was[0];
  return isExchanged || (was.length <= 1 && is.length <= 1);
}
