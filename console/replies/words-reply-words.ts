import { dictionary } from '../kit/dictionary.ts';

/** The words by which people opt out, opt in and call for help. */
export const replyWordTexts = dictionary(
  {
    page: {
      title: 'Palavras de resposta',
      about: 'O que descadastra quem responde, o recadastra ou pede ajuda',
    },
    intro:
      'Uma palavra vale quando é a resposta inteira. Maiúsculas, acentos, pontuação e espaços não importam: “S.A.I.R!” vale como SAIR; “sair da promoção” fica para uma pessoa ler.',
    onePerLine: 'Uma por linha.',
    standard: (words: string) => `Padrão: ${words}.`,
    effect:
      'Uma mudança vale na hora, para as respostas que chegarem a partir de agora. O provedor pode ter as suas próprias palavras: quem ele descadastra aparece nos descadastros, seja qual for esta lista.',
    fields: {
      optOut: 'Descadastram',
      optIn: 'Voltam a aceitar mensagens',
      help: 'Pedem ajuda',
    },
    helps: {
      optOut: 'Nada mais é enviado ao telefone, nem nas execuções em andamento.',
      optIn: 'Desfazem o descadastro, para os mailings lidos a partir de então.',
      help: 'A resposta é marcada como pedido de ajuda; pode abrir um atendimento como qualquer outra.',
    },
  },
  {
    page: {
      title: 'Reply words',
      about: 'What opts out whoever answers it, opts them in again or calls for help',
    },
    intro:
      'A word counts when it is the whole reply. Case, accents, punctuation and spaces make no difference: “S.A.I.R!” counts as SAIR; “sair da promoção” is left for a person to read.',
    onePerLine: 'One on each line.',
    standard: (words) => `Default: ${words}.`,
    effect:
      'A change is in effect at once, for replies that come from now on. The provider may have words of its own: whoever it opts out appears among the opt-outs, whatever stands here.',
    fields: {
      optOut: 'Opt out',
      optIn: 'Opt in again',
      help: 'Call for help',
    },
    helps: {
      optOut: 'Nothing more is sent to the phone, not even by runs in progress.',
      optIn: 'Undo the opt-out, for mailings that are read from then on.',
      help: 'The reply is marked as a call for help; it may open a ticket as any other does.',
    },
  },
);
