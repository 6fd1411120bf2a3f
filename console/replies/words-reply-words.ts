import { replyWordFieldLabels } from '../../domain/words/replies.ts';
import { dictionary } from '../kit/dictionary.ts';

/** The keywords by which customers opt out, opt in and ask for help. */
export const replyWordTexts = dictionary(
  {
    page: {
      title: 'Palavras de resposta',
      about: 'Palavras que descadastram, recadastram ou pedem ajuda',
    },
    intro:
      'Uma palavra vale quando é a resposta inteira. Maiúsculas, acentos, pontuação e espaços não importam: “S.A.I.R!” vale como SAIR. Uma resposta que parece um descadastro, mas não é só a palavra (“quero sair”, “me tira dessa lista”), deixa o telefone em espera até um usuário decidir.',
    onePerLine: 'Uma por linha.',
    standard: (words: string) => `Padrão: ${words}.`,
    effect:
      'Uma mudança vale na hora, para as respostas que chegarem a partir de agora. O provedor pode ter as suas próprias palavras: os telefones que ele descadastra sempre aparecem nos descadastros.',
    fields: replyWordFieldLabels['pt-BR'],
    helps: {
      optOut: 'Nada mais é enviado ao telefone, nem nas execuções em andamento.',
      optIn: 'Desfazem o descadastro, para os mailings lidos a partir de então.',
      help: 'A resposta é marcada como pedido de ajuda; pode abrir um atendimento como qualquer outra.',
      holdDays: 'De 1 a 90. Sem decisão até lá, o telefone é descadastrado.',
    },
  },
  {
    page: {
      title: 'Reply words',
      about: 'Words that opt customers out, opt them in again or ask for help',
    },
    intro:
      'A word counts when it is the whole reply. Case, accents, punctuation and spaces make no difference: “S.A.I.R!” counts as SAIR. A reply that looks like an opt-out but is not the word alone (“quero sair”, “me tira dessa lista”) holds the phone until a user decides.',
    onePerLine: 'One per line.',
    standard: (words) => `Default: ${words}.`,
    effect:
      'A change takes effect at once, for replies that arrive from now on. The provider may have its own words: phones that it opts out always appear among the opt-outs.',
    fields: replyWordFieldLabels.en,
    helps: {
      optOut: 'Nothing more is sent to the phone, not even by runs in progress.',
      optIn: 'Undoes the opt-out, for mailings that are read from then on.',
      help: 'The reply is marked as a request for help; like any reply, it may open a ticket.',
      holdDays: '1 to 90. Without a decision by then, the phone is opted out.',
    },
  },
);
