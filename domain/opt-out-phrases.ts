/**
 * Phrases that ask for no more messages, and phrases of someone who is not the customer. They apply to the words of a
 * line (domain/probable-opt-out.ts `tokensOf`), with one space before, between and after them.
 */

/** Matters of a business. A phrase about one of them is no wish about messages: "não mande o técnico hoje". */
const matter =
  '(?:boletos?|faturas?|contas?|tecnic\\w*|entreg\\w*|motoboy\\w*|pedidos?|produt\\w*|encomendas?|itens|item|nota|notas|nf\\w*|contratos?|cart[ao]\\w*|links?|codig\\w*|pix|fotos?|comprovantes?|documentos?|consultas?|exames?|agendamentos?|horarios?|reservas?|visitas?|planos?|compras?|pagamentos?|debitos?|transac\\w*|saques?|emprestimos?|seguros?|servicos?|chamados?|dinheiro|juros|valor\\w*|acordos?|cobranc\\w*|parcelas?|descontos?|orcamentos?|viagens?|voos?|aulas?|matriculas?|portao|loja|serasa|spc|luz|energia|agua|internet|modem|linha|sinal|segunda via|duvidas?|certificados?|senhas?|pontos|dependentes?|taxas?)';
const noMatter = `(?!(?:\\w+ ){0,3}${matter} )`;

/** The objects of an ambiguous word. */
const messages =
  '(?:mensage\\w*|sms|torpedos?|textos?|propagandas?|promoc\\w*|publicidade\\w*|anuncios?|ofertas?|spam|notificac\\w*|recebimentos?|envios?|avisos?|comunicac\\w*|contatos?|contactos?|ligac\\w*|whats\\w*|messages?|texts?|texting|assinaturas?)';
const lists =
  '(?:listas?|cadastros?|inscric\\w*|base|sistema|mailing|grupos?|contatos?|agenda|numero|numeros|telefones?|fones?|celular\\w*|cel|zap|whats\\w*|email|mail|nome|cpf|dados|lists?|number|phone|registros?)';
const few = '(?:\\w+ ){0,4}';
const no = '(?:nao|nunca|jamais|nem|no)';
const me = '(?:me |nos |mais |por favor |porfavor |vc )*';
/** Commands to send and to contact: these forms are no statements. */
const command =
  '(?:mande[ms]?|envie[ms]?|escreva[ms]?|ligue[ms]?|encha[ms]?|perturbe[ms]?|pertube[ms]?|incomode[ms]?|importune[ms]?|atrapalhe[ms]?|contate[ms]?|contacte[ms]?|procure[ms]?|insista[ms]?|use[ms]?|torre[ms]?|molest\\w+)';
/** Other forms of the same, which are statements as well ("o site não envia"). */
const sending =
  '(?:mand(?:a|ar|am|ando|arem|assem)|envi(?:a|ar|am|ando|arem|assem)|escrev(?:e|er|endo|erem|essem)|lig(?:a|ar|ando|arem|assem)|ench(?:e|er|endo)|per?turb\\w+|incomod\\w+|importun\\w+|atrapalh\\w+|contat(?:a|ar|arem|assem)|contact\\w*|procur(?:a|ar|arem|assem)|insist\\w+|torr(?:a|ar))';
/** Words at the end that change nothing. */
const end =
  '(?:mais |isso |nada |esses? |essas? |aqui |pra mim |me |mim |nao |por favor |porfavor |favor |obrigad[oa] |obg |ta |ok |ne |de vc |vc |so |viu |tchau |moc[oa] |esse numero |neste numero |nesse numero |ja |hoje |de novo )*$';
const begin =
  '^ (?:oi |ola |bom dia |boa tarde |boa noite |por favor |porfavor |favor |obrigad[oa] |obg |eu |mais |nao |vc |ja |por gentileza |so |entao |e |moc[oa] |gente |isso )*';

/** The person wants no more messages. */
export const wishes: readonly RegExp[] = [
  // These words have no other use.
  / (?:des?cad\w*st\w*|desk?ad\w*st\w*|d[ei]scad\w*|descast\w*|discadast\w*|discadrast\w*|desinsc\w+|desincr\w+|unsub\w*|unsuscribe|optout|opt out|opting out|stopall|stop all|desuscrib\w*|desautoriz\w*) /,
  / (?:spam|procon|anatel|nao perturbe|reclame aqui) /,
  // "quero sair", "como faço pra sair", "sair da lista".
  / (?:quero|queria|gostaria|desejo|preciso|pedi|peco|solicito|exijo|como|posso|pode|pra|favor|porfavor) (?:\w+ ){0,3}(?:sair|descadastro|remocao|exclusao|cancelamento) (?!do trabalho|de casa|de ferias|de viagem|de dependente)/,
  new RegExp(` (?:quero|queria|quiero) (?:me )?(?:sai|salir) ${noMatter}`),
  / como (?:eu |e que )?(?:saio|sai) (?:\w+ ){0,3}$/,
  / (?:sair|sai|saio|saida|me tir\w*) (?:fora )?(?:dess?[ae]s?|dest[ae]s?|da|do|de|deles|disso|daqui|dai|desse) (?:\w+ )?(?:listas?|cadastros?|grupos?|base|sistema|mailing|mensage\w*|sms|promoc\w*|aqui|isso) /,
  // A short text with SAIR or STOP in it. "Não vou sair de casa hoje" is an accepted false alarm.
  /^ (?:\w+ ){0,6}sair (?!de (?:ferias|viagem))(?:\w+ ){0,6}$/,
  /^ (?:\w+ ){0,6}stop (?!motion)(?:\w+ ){0,6}$/,
  // A sentence that begins or ends with the word, and a name, or what it is about.
  new RegExp(
    `${begin}(?:sair|parar|excluir|remover|cancelar|exclua|remova) ${noMatter}(?!o |a |os |as |em |n[ao] )(?:\\w+ ){1,4}\\d{3}`,
  ),
  new RegExp(
    `${begin}(?:parar|excluir|remover|exclua|remova) ${noMatter}(?!o |a |os |as |em |n[ao] |pra )\\w+ (?:\\w+ )?$`,
  ),
  new RegExp(`${begin}sai (?:fora |daqui |pra la |por favor |porfavor )*$`),
  // "pare de me mandar mensagem", "parem com isso", "stop texting me".
  new RegExp(
    `(?<! nao) (?:pare|parem|pararem|parasse|parassem) (?!em |n[ao] |num |numa |perto |antes |depois |ali |na frente |o |a )(?:de |${noMatter})`,
  ),
  / pra de? (?:\w+ ){0,2}(?:mand\w*|envi\w*|escrev\w*|lig\w*|ench\w*|perturb\w*|incomod\w*|importun\w*|insist\w*|spam|sms|mensage\w*|gracas?|gracinhas?|palhacada|frescura|me) /,
  / (?:parar|chega|basta|deixe|deixem|deixa|dexa|cansad[oa]|cessem|cesse|evite|evitem|evita) (?:ja )?(?:de |d )?(?:\w+ ){0,2}(?:mand\w*|envi\w*|escrev\w*|ligar|ligando|encher|perturb\w*|incomod\w*|importun\w*|receber|insistir|spam|mensage\w*|sms|promoc\w*|propaganda\w*|torpedo\w*) /,
  / (?:deixar|deixo|paro) de (?:receb\w+) /,
  / (?:parar|pra|chega|basta) (?:com|disso|dessas?|desses?) (?:isso |essas? |esses? |as |os )*(?:mensage\w*|sms|$|isso|ne |ja )/,
  / (?:parar|pra|chega|basta) com (?:isso|ess[ae]s?|as|os) /,
  / (?:pra|chega|basta) (?:disso|logo) /,
  / (?:pedi|falei|mandei|digitei|escrevi|respondi|enviei|disse) (?:\w+ ){0,2}(?:pra )?(?:pare|parar|sair) /,
  /^ (?:ja )?(?:chega|basta|parou) (?:disso |ja |ne |mesmo |por favor |porfavor )*$/,
  / (?:parem?|pra) (?:por favor|porfavor) /,
  / (?:favor|obsequio|gentileza|como|jeito de) (?:de |pra )?(?:parar|tirar|retirar) (?:isso |nao |por favor |porfavor )*$/,
  / (?:me|nos) poupe[ms]? /,
  / (?:continu\w+|ate quando) (?:\w+ ){0,3}(?:mandando|enviando|recebendo) (?!o |a )/,
  / (?:esqueca[ms]?|esquece) que eu /,
  /^ (?:por favor |porfavor |oi )*pra (?:ai |ae |por favor |porfavor )*$/,
  / (?:please |just )?stop (?:it|this|sending|texting|messaging|contacting|calling|bothering|spamming|writing|these|the|with) /,
  // "não quero mais receber", "não quero ser incomodado", "não autorizo mensagens".
  / (?:nao|nunca|jamais|nem) (?:\w+ ){0,2}(?:quero|queria|desejo|gostaria|aceito|autorizo|autorizei|concordo|preciso|solicitei|pedi|admito|permito|concordei) (?:\w+ ){0,3}(?:receb\w*|mensage\w*|sms|torpedos?|promoc\w*|propagandas?|publicidade\w*|anuncios?|ofertas?|contatos?|spam|ser contatad[oa]|ligac\w*|notificac\w*) /,
  / nao (?:quero|desejo|gostaria de) (?:mais )?ser (?:contat|incomod|perturb|importun|procur|chamad)\w* /,
  / nao quero (?:mais )?(?:saber|nada com)(?! d[aoe] (?:valor|preco|resultado)) /,
  / (?:nao|nem) (?:quero|desejo) (?:mais )?que (?:\w+ )?(?:mand|envi|lig|contat|perturb|incomod|escrev)\w* /,
  new RegExp(
    `${begin}nao (?:quero|desejo) (?:mais )?(?:ess[ae]s? (?:coisas?|negocios?|treco\\w*|trem|troco\\w*|porcaria\\w*|lixo) )?${end}`,
  ),
  /^ (?:\w+ ){0,3}nao (?:quero|desejo) mais (?:nada |isso |obrigad[oa] |porfavor |por favor |vc |de vc )*$/,
  / (?:disse|falei|avisei|pedi|repito) (?:ja )?(?:que )?nao (?:quero|e pra|mand\w+|envi\w+) (?!o |a )/,
  /^ (?:nao|nunca|no) (?:mais|mas|more) (?:por favor |porfavor |obrigad[oa] )*$/,
  // "gostaria de não receber", "não sou obrigado a receber", "como faço pra não receber".
  / (?:de|pra|por|prefiro|gostaria|quero|queria|desejo) nao (?:mais )?receber (?!o |a |meu|minha)/,
  / nao (?:sou obrigad[oa] a|tenho (?:mais )?interesse em|pretendo|gosto de) (?:mais )?receber /,
  // "quero mais não", "manda mais não": the negation at the end.
  new RegExp(
    ` (?:quero|recebo|gosto de receber|${command}|${sending}) (?:mais |isso |nada |me |mensagem |sms )*nao (?:obrigad[oa] |obg |so |viu )*$`,
  ),
  // "não mande mais", "não me envie", "não é pra mandar", "não precisa mandar mais".
  new RegExp(` ${no} ${me}${command} ${noMatter}`),
  new RegExp(` ${no} ${me}entr(?:em?|ar) (?:mais )?em contato `),
  new RegExp(
    ` ${no} ${me}${sending} (?:\\w+ ){0,2}(?:mais|mensage\\w*|sms|nada|isso|torpedos?|promoc\\w*|propagandas?) `,
  ),
  new RegExp(` ${no} (?:me |nos )${sending} ${end}`),
  new RegExp(`${begin}nao ${me}${sending} ${end}`),
  new RegExp(
    ` nao (?:precisa[m]?|e|era|eh|quero) (?:mais )?(?:pra |que |de )?(?:vc )?${me}(?:${sending}|${command}) ${noMatter}(?:\\w+ ){0,2}(?:mais|mensage\\w*|sms|me|mim|$)`,
  ),
  new RegExp(` nao (?:precisa[m]?|e pra|era pra) (?:de )?mais ${sending} ${noMatter}`),
  new RegExp(` nao (?:precisa[m]?|e pra|era pra) (?:de )?me ${sending} ${noMatter}`),
  / (?:nao|nunca) (?:me |mais ){1,3}(?:escrev\w+|perturb\w*|incomod\w*|importun\w*|encha|contact\w*|receber) /,
  / (?:sem|nenhuma?|no more|fim das|basta|nada de|no) (?:mais |mas )?(?:mensage\w*|sms|promoc\w*|propagandas?|messages?|texts?) (?!de (?:confirma|voz))/,
  / nao (?:aguento|suporto|aturo) mais (?:receber |ess[ae]s? |tanta |$)/,
  // "não autorizei", "quem passou meu número", "não fiz cadastro".
  new RegExp(
    ` (?:nao|nunca|jamais) (?:vos |vc )?(?:autoriz(?:o|ei|amos)|consinto|consenti|permiti|permito|dei (?:minha |nenhuma |a )?(?:autorizac\\w*|permiss\\w*|consentimento)|dou (?:minha |a )?(?:autorizac\\w*|permiss\\w*|consentimento)) (?!ess[ae]s? |est[ae]s? |o |a |os |as )${noMatter}`,
  ),
  / quem (?:\w+ )?autorizou (?:vc |isso |a |o |me )/,
  / (?:quem|como|onde|aonde) (?:\w+ ){0,3}(?:deu|passou|forneceu|vendeu|conseguiu|conseguiram|obteve|obtiveram|arrumou|arrumaram) (?:\w+ ){0,2}(?:numero|contato|telefone|celular|dados) /,
  / (?:nao|nunca) (?:me cadastrei|fiz (?:nenhum )?cadastro|me inscrevi|assinei (?:isso|nada)) /,
  // "me tira dessa lista", "remova meu número", "apaga meus dados".
  new RegExp(
    ` (?!\\w+(?:[aei]ram|ou|uiu|ei) )(?:tir[ae]\\w*|retir[ae]\\w*|remov\\w+|exclu\\w+|apag\\w+|delet\\w+|risc\\w+|elimin\\w+|inativ\\w+|desativ\\w+|desabilit\\w+|desvincul\\w+|desliga|remove|delete|take|cancel|cancel[ae]\\w*) ${few}${lists} (?!(?:no|do|da|na) (?:spc|serasa|cartorio|fatura|boleto))(?!errad)(?!n[oa] (?:curso|evento|prova|concurso|vestibular|turma))`,
  ),
  / (?:me|nos) (?:tir[ae]m?|tirar|retir\w+|remov\w+|exclu\w+|delet\w+|apag\w+|bloque\w+|desvincul\w+|desinclu\w+|esqueca[ms]?|esquece) (?!(?:um |uma |umas |a |as |essa |do |o )(?:duvidas?|sufoco|aperto|serio))/,
  / (?:tir\w+|retir\w+|remov\w+|exclu\w+)(?: me| eu) /,
  / limp\w+ (?:\w+ )?cadastro /,
  / bloque(?:ar|i[ae]m?) (?:o )?(?:meu|esse|este) (?:numero|contato|telefone) /,
  / (?:cancel|retir|revog)\w+ (?:\w+ )?(?:autorizacao|consentimento|permissao) /,
  /^ sem (?:mais )?contatos? (?:por favor |porfavor )*$/,
  / (?:tirar?|tire|tirem|remova|remover|excluir?|exclua) (?:\w+ )?(?:eu|mim|me|daqui|dai|disso|dessa) /,
  new RegExp(
    ` (?:cancel\\w*|suspend\\w*|interromp\\w*|encerr\\w*|bloque\\w*|parar|pare|parem|evit\\w*|remov\\w+|exclu\\w+|cess\\w+|dispens\\w+|anul\\w+) ${few}${messages} `,
  ),
  new RegExp(
    ` (?:cancel(?:ar|e|a|em|amento)|encerr(?:ar|e|a|em)) ${few}(?:cadastros?|inscric\\w*|assinatura|numero) (?!n[oa] )`,
  ),
  / (?:quero|queria|gostaria de|desejo|favor|porfavor|pode|podem) (?:me |ser |que )*(?:retirar|retirad\w+|tirar|tire[ms]?) (?:por favor |porfavor |obrigad[oa] )*$/,
  / (?:ser|fosse|seja) (?:\w+ )?(?:removid|excluid|descadastrad|apagad|deletad|bloquead)[oa]s? (?!d[oa] (?:serasa|spc))/,
  / como (?:eu |faco |fazer |faz |pra |posso )*(?:cancelar|cancelo) (?:isso |esse servico |aqui )*$/,
  / (?:vou|irei|ja) (?:\w+ )?(?:bloquear|bloqueei|processar|reclamar) (?!o |a |meu |minha )/,
  / (?:vou|irei|ja) (?:\w+ )?denunci\w+ (?!o |a |meu |minha )/,
  / (?:vou|irei) (?:\w+ )?(?:acionar|procurar|chamar|meter|abrir|entrar|por|botar|na|no) (?:\w+ ){0,4}(?:advogad\w+|processo|justica|policia|bo|reclamacao|pau) /,
  / (?:assedio|perturbacao|importunacao) /,
  / (?:deix[ae]m?|larg[au]\w*|solt\w+) (?:\w+ ){0,2}(?:em )?(?:paz|meu pe) /,
  / me deix[ae]m? (?:quiet[oa]|sossegad[oa]) /,
  / (?:do|no) meu pe $/,
  / me (?:deixa|deixe|deixem|larga|largue|esquece|esqueca|esquecam) (?:por favor |porfavor )*$/,
  / (?:esquece|esqueca|esquecam|perca|perde|some com|suma com|larga|larguem) (?:d?o )?(?:meu|esse|este) (?:numero|contato|telefone) /,
  / (?:vtnc|vtmnc|tmnc|vsf|vsfd|pqp|some daqui|sumam|vaza|vazem|fuck off|go away|cai fora|caiam fora) /,
  / vai (?:\w+ )?(?:tomar no|se fod\w*|se lascar|se ferrar|a merda|pra merda|pro inferno|pra puta|encher o saco|pastar|catar coquinho) /,
  / (?:dar|dou|da|de) (?:\w+ )?baixa (?:\w+ ){0,3}(?:numero|cadastro|telefone|celular|nome) /,
  / (?:lgpd|revogo|revogar|retiro (?:o )?(?:meu )?consentimento|perda de tempo|enche o saco|enchendo o saco|encher o saco) /,
  / lei geral de protecao de dados /,
  // English, Spanish.
  / (?:remove|take|delete|get) (?:me|my|us) /,
  / (?:do not|dont t|dont|never|quit|cease) (?:\w+ )?(?:text|texting|message|messaging|send|sending|contact|contacting|call|calling|write|writing) /,
  / (?:leave|let) me (?:alone|be) /,
  / dont (?:t )?want (?:this|these|any|it|to receive|your|more|$)/,
  / (?:lose|wrong) my number /,
  / no (?:me |mas |quiero ){1,3}(?:recib\w+|envi\w+|mand\w+|mensage\w*|escrib\w+) /,
  / (?:darme|dar me|dame|deme|denme|quiero|solicito) (?:\w+ )?(?:de )?baja /,
  / dej\w+ de (?:\w+ )?(?:enviar\w*|mandar\w*|molestar\w*) /,
];

/** Words that ask for it when they are the whole reply, or have only polite words around them. */
export const loneWords: ReadonlySet<string> = new Set(
  (
    'bloquear bloqueia bloqueie bloqueado bloqueada bloqueando bloqueei denunciar denunciado denunciei tirar tire ' +
    'tirem remove remova removam removam remocao exclui exclua excluam exclusao apagar apague apaga deletar deleta ' +
    'delete eliminar elimine encerrar encerra encerre encerrem interromper interrompa interrompam suspender suspenda ' +
    'suspendam desativar desativa desative desabilitar desabilite desabilita inativar inativa inative desligar ' +
    'desliga desligue desvincular desvincule cessar cesse cessem descontinuar anular anula anule abandonar baja salir ' +
    'detener arret dispenso fora some sumam vaza paro'
  ).split(' '),
);

const relation =
  '(?:ele|ela|titular|cliente|pai|mae|marido|esposa|esposo|mulher|avo|irma|irmao|filho|filha|tio|tia|senhor|senhora|dona?)';

/** The person is not the customer, or the customer has died: a user decides. Not in a question ("Número errado?"). */
export const notCustomers: readonly RegExp[] = [
  new RegExp(
    `^ (?!(?:.* )?(?:digitei|coloquei|cadastrei|preenchi|anotei|informei|passei|conta|casa|cartao|protocolo|contrato|boleto|cpf|rua|pedido) )(?:\\w+ ){0,6}(?:numero|pessoa|telefone|celular|contato) (?:esta |e |ta )?errad[oa] ${few}$`,
  ),
  / wrong (?:number|person) /,
  / (?:mandou|mandaram|mandando|enviou|enviaram|enviando|escreveu|ligou) (?:\w+ )?errado (?!o |a )/,
  /^ (?:oi |ola |bom dia |boa tarde |boa noite |isso |deve |so |acho |que |ser |ter |e |foi |sido |um |houve )*engano (?:moc[oa] |seu |de vc |obrigad[oa] )*$/,
  /^ (?:por )?engano $/,
  / (?:esse|este|meu|o) (?:numero|telefone|celular|chip|contato|zap) (?:aqui )?nao (?:e|eh|pertence) (?:mais )?(?:d[aeo]l?[aes]?|a|ao|seu) /,
  / aqui nao (?:e|eh|mora|tem) (?:mais )?(?:a |o |da |do |de |nenhuma? )?(?!entrega|sinal|internet|luz|agua|rede|opcao)\w+ $/,
  / nao (?:sou|somos) (?:mais )?(?:o |a )(?!favor|titular|respons|dono|dona|unic|mesm)\w+ $/,
  / nao (?:sou|e|eh) (?:essa pessoa|esta pessoa|ess[ae] (?:maria|joao|jose|ana)|ele|ela|mais ele|mais ela|ninguem com) /,
  / (?:nao )?(?:sou|e|eh) outra pessoa /,
  /^ (?:oi |ola |eu )*nao conheco $/,
  / nao sei quem e (?:a |o |ess[ae] )?(?!vc|ess[ae]|que|isso)\w+ $/,
  /^ (?:oi |ola )*nao sou eu (?:nao )*$/,
  / (?:ninguem|nenhum[a]? \w+|pessoa) com (?:esse|este) nome /,
  / nao (?:tem|mora|existe) (?:mais )?ninguem /,
  / (?:comprei|ganhei) (?:ess[ae]|est[ae]) (?:chip|numero) /,
  / (?:chip|numero|telefone) (?:aqui )?(?:agora e meu|era de outra pessoa|e de outra pessoa) /,
  / (?:errou|erraram) (?:o|de|a) (?:numero|pessoa|telefone) /,
  / nao e mais (?:esse|este|o) (?:numero|telefone|celular) d/,
  / nao conheco (?:essa|esta|ess[ae]|est[ae])? ?(?:pessoa|nome|moc[oa]|senhor\w*|sra?|ninguem|nenhum[a]? (?!lugar|loja|rua)\w+) /,
  / (?:nao tem|nao usa|nao esta com|perdeu|trocou) (?:mais )?(?:ess[ae]|est[ae]|de) (?:numero|telefone|celular|chip) /,
  new RegExp(
    `^ (?:\\w+ ){0,4}(?:faleceu|faleceram|falecid[oa]|veio a obito|morreu|ja e falecid[oa]) (?:\\w+ ){0,5}$`,
  ),
  new RegExp(` ${relation} (?:\\w+ ){0,3}(?:faleceu|morreu|e falecid[oa]|veio a obito) `),
];
