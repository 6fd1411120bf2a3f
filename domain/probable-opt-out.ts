/**
 * Whether a reply probably asks for no more messages, in words that are not an opt-out word ("quero sair", "me tira
 * dessa lista"). In Portuguese, with some English and Spanish.
 *
 * Prefers false alarms: a false alarm holds the phone until a user has looked at it, while a miss sends to someone who
 * asked to stop. Words with other meanings (sair, cancelar, parar) count only alone, in short texts, or next to what
 * they would opt out of.
 */
export function isProbableOptOut(text: string, optOutWords: readonly string[]): boolean {
  const own = new Set(optOutWords.map((word) => tokensOf(word).join(' ')).filter((word) => word !== ''));
  return text
    .split(/[\n\r]+/)
    .map(tokensOf)
    .some((line, _, lines) => {
      if (line.length === 0) return false;
      // A line of its own: SAIR above a signature.
      if (lines.length > 1 && own.has(line.join(' '))) return true;
      return isWordAmongFillers(line, own) || phrases.some((phrase) => phrase.test(` ${line.join(' ')} `));
    });
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
    'por favor porfavor obrigado obrigada obg brigado brigada agradeco grato grata eu quero queria gostaria desejo ' +
    'preciso solicito peco pedido de o a os as me isso ja agora urgente logo tudo todos todas ok oi ola bom boa dia ' +
    'tarde noite prezados senhores gente pessoal ai aqui daqui disso dessa dai so sim pode podem vc pra mim pois e ' +
    'mesmo entao quer vou thanks thank you i want to wanna would like the all now from this it sms'
  ).split(' '),
);

/** Only an opt-out word with polite words around it; also one with a typo. */
function isWordAmongFillers(line: readonly string[], own: ReadonlySet<string>): boolean {
  if (line.length > 12) return false;
  const rest = line.filter((word) => !fillers.has(word));
  if (rest.length === 0) return false;
  const words = new Set(rest);
  // "SAIR SAIR SAIR", "sair stop".
  if ([...words].every((word) => own.has(word))) return true;
  const [only = ''] = words;
  return (
    words.size === 1 &&
    only.length >= 4 &&
    !otherWords.has(only) &&
    [...own].some((word) => isSlipOf(only, word))
  );
}

/** Words that differ by one letter from an opt-out word but have another meaning. */
const otherWords = new Set(
  'cair sai saia saio saiu sara saidas parte parede pares para parei pari pago pode step shop stock quite quiz remove cancelou'.split(
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

/** The objects of an ambiguous word. */
const messages =
  '(?:mensage\\w*|sms|torpedos?|textos?|propagandas?|promoc\\w*|publicidade\\w*|anuncios?|ofertas?|spam|notificac\\w*|recebimentos?|envios?|avisos?|comunicac\\w*|contatos?|contactos?|ligac\\w*|whats\\w*|messages?|texts?|texting)';
const lists =
  '(?:listas?|cadastros?|inscric\\w*|base|sistema|mailing|grupos?|contatos?|agenda|numero|numeros|telefones?|fones?|celular\\w*|cel|nome|dados|lists?|number|phone|registros?)';
const few = '(?:\\w+ ){0,4}';

/** Applied to the words of a line, with one space before, between and after them. */
const phrases: readonly RegExp[] = [
  // These words have no other use.
  / (?:des?cad\w*st\w*|discadast\w*|descadatr\w*|desinscr\w+|desincrev\w+|unsub\w*|unsuscribe|optout|opt out|opting out|stopall|stop all|desuscrib\w*) /,
  / (?:spam|procon|anatel|nao perturbe|reclame aqui) /,
  // "quero sair", "como faço pra sair", "sair da lista".
  / (?:quero|queria|gostaria|desejo|preciso|pedi|peco|solicito|como|posso|pode|pra|favor|porfavor) (?:\w+ ){0,3}(?:sair|descadastro|remocao|exclusao|cancelamento) (?!do trabalho|de casa)/,
  / (?:sair|saio|saida|me tir\w*) (?:fora )?(?:dess?[ae]s?|dest[ae]s?|da|do|de|deles|disso|daqui|dai|desse) (?:\w+ )?(?:listas?|cadastros?|grupos?|base|sistema|mailing|mensage\w*|sms|promoc\w*|aqui|isso) /,
  // A short text with SAIR or STOP in it. "Não vou sair de casa hoje" is an accepted false alarm.
  /^ (?:\w+ ){0,6}(?:sair|stop) (?:\w+ ){0,6}$/,
  // "pare de me mandar mensagem", "parem com isso", "stop texting me".
  / (?:pare|parem|pra|parar|chega|basta|deixe|deixem|deixa|cansad[oa]|cessem|cesse) (?:ja )?(?:de|d) (?:\w+ ){0,2}(?:mand\w*|envi\w*|escrev\w*|ligar|ligando|encher|perturb\w*|incomod\w*|importun\w*|receber|insistir|spam|mensage\w*|sms|promoc\w*|propaganda\w*|torpedo\w*) /,
  / (?:pare|parem|pra|chega|basta) (?:com|disso|dessas?|desses?|logo) /,
  /^ (?:chega|basta|parou) (?:disso |ja |mesmo |por favor |porfavor )*$/,
  / (?:parem?|pra) (?:por favor|porfavor) /,
  / (?:please |just )?stop (?:it|this|sending|texting|messaging|contacting|calling|bothering|spamming|writing|these|the|with) /,
  // "não quero mais receber", "não mande mais", "não me envie", "não autorizo mensagens".
  / (?:nao|nunca|jamais|nem) (?:\w+ ){0,2}(?:quero|queria|desejo|gostaria|aceito|autorizo|autorizei|concordo|preciso|solicitei|pedi|admito|permito|concordei) (?:\w+ ){0,3}(?:receb\w*|mensage\w*|sms|torpedos?|promoc\w*|propagandas?|publicidade\w*|anuncios?|ofertas?|contatos?|spam|ser contatad[oa]|ligac\w*|notificac\w*) /,
  /^ (?:\w+ ){0,3}nao (?:quero|desejo) mais (?:nada |isso |obrigad[oa] |porfavor |por favor |vc |de vc )*$/,
  / (?:nao|nunca|jamais) (?:me |nos |mais )*(?:mand\w+|manda|envi\w+|envia|escrev\w+|perturb\w*|incomod\w*|importun\w*|encha|enche|contat\w*|contact\w*|procur\w*|ligu?e\w*|ligar) (?:\w+ ){0,3}(?:mais|mensage\w*|sms|nada|isso|pra mim|me|mim|torpedos?|promoc\w*|propagandas?) /,
  / (?:nao|nunca) (?:me |mais ){1,3}(?:mand\w+|envi\w+|escrev\w+|perturb\w*|incomod\w*|importun\w*|encha|contat\w*|contact\w*|ligu?e\w*|receber) /,
  / (?:sem|nenhuma?|no more|fim das|basta) (?:mais )?(?:mensage\w*|sms|promoc\w*|propagandas?|messages?|texts?) /,
  // "me tira dessa lista", "remova meu número", "apaga meus dados".
  new RegExp(
    ` (?:tir[ae]\\w*|retir[ae]\\w*|remov\\w+|exclu\\w+|apag\\w+|delet\\w+|risc\\w+|elimin\\w+|remove|delete|take|cancel|cancel[ae]\\w*) ${few}${lists} `,
  ),
  / (?:me|nos) (?:tir[ae]m?|tirar|retir[ae]m?|remov\w+|exclu\w+|delet\w+|apag\w+|bloque\w+|esque[cç]\w*) /,
  / (?:tirar?|tire|tirem|remova|remover|excluir?|exclua) (?:\w+ )?(?:eu|mim|me|daqui|dai|disso|dessa) /,
  new RegExp(
    ` (?:cancel\\w*|suspend\\w*|interromp\\w*|encerr\\w*|bloque\\w*|parar|pare|parem|evit\\w*|remov\\w+|exclu\\w+) ${few}${messages} `,
  ),
  new RegExp(` (?:cancel\\w*|encerr\\w*) ${few}(?:cadastros?|inscric\\w*|assinatura dess?e?|numero) `),
  / (?:vou|irei|ja) (?:\w+ )?(?:bloquear|bloqueei|denunciar|processar|reclamar) /,
  / (?:me )?(?:deix[ae]m?|larg[au]\w*|solt\w+) (?:\w+ ){0,2}(?:em )?(?:paz|meu pe) /,
  / (?:dar|dou|da|de) (?:\w+ )?baixa (?:\w+ ){0,3}(?:numero|cadastro|telefone|celular|nome) /,
  / (?:lgpd|revogo|revogar|retiro (?:o )?(?:meu )?consentimento|perda de tempo|enche o saco|enchendo o saco) /,
  // English, Spanish.
  / (?:remove|take|delete|get) (?:me|my|us) /,
  / (?:do not|dont t|dont|never|quit|cease) (?:\w+ )?(?:text|texting|message|messaging|send|sending|contact|contacting|call|calling|write|writing) /,
  / (?:leave|let) me (?:alone|be) /,
  / (?:lose|wrong) my number /,
  / no (?:me |mas |quiero ){1,3}(?:recib\w+|envi\w+|mand\w+|mensage\w*|escrib\w+) /,
  / (?:darme|dar me|dame|deme|denme|quiero|solicito) (?:\w+ )?(?:de )?baja /,
  / dej\w+ de (?:\w+ )?(?:enviar\w*|mandar\w*|molestar\w*) /,
];
