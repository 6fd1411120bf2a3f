import { dictionary } from './dictionary.ts';

/** The labels of a reply's fields, and its effects, in pages and in files. */
export const replyLabels = dictionary(
  {
    effects: {
      none: 'Recebida',
      ticket: 'Atendimento',
      opt_out: 'Descadastro',
      probable_opt_out: 'Descadastro provável',
      opt_in: 'Voltou a aceitar',
      help: 'Pediu ajuda',
    },
    waiting: 'A tratar',
    effect: 'Efeito',
    phone: 'Telefone',
    recipient: 'Recebida por',
    text: 'Mensagem',
    received: 'Recebida em',
    campaign: 'Campanha',
    run: 'Execução',
    ticket: 'Atendimento',
  },
  {
    effects: {
      none: 'Received',
      ticket: 'Ticket',
      opt_out: 'Opt-out',
      probable_opt_out: 'Probable opt-out',
      opt_in: 'Opted back in',
      help: 'Asked for help',
    },
    waiting: 'To be handled',
    effect: 'Effect',
    phone: 'Phone',
    recipient: 'Received by',
    text: 'Message',
    received: 'Received',
    campaign: 'Campaign',
    run: 'Run',
    ticket: 'Ticket',
  },
);

/** The labels of the reply words, by their paths. */
export const replyWordFieldLabels = dictionary(
  {
    optOut: 'Descadastram',
    optIn: 'Voltam a aceitar mensagens',
    help: 'Pedem ajuda',
    holdDays: 'Dias para decidir um descadastro provável',
  },
  {
    optOut: 'Opt out',
    optIn: 'Opt in again',
    help: 'Ask for help',
    holdDays: 'Days to decide on a probable opt-out',
  },
);

/** The labels of the automatic texts, by their paths. */
export const automaticTextFieldLabels = dictionary(
  {
    optOut: 'Confirmação do descadastro',
    help: 'Resposta a um pedido de ajuda',
    keywords: 'Palavras-chave',
    'keywords.*.words': 'Palavras',
    'keywords.*.words.*': 'Palavras',
    'keywords.*.text': 'Resposta',
    'keywords.*.departmentId': 'Setor',
    'keywords.*.subcategoryId': 'Ocorrência',
  },
  {
    optOut: 'Confirmation of an opt-out',
    help: 'Answer to a request for help',
    keywords: 'Keywords',
    'keywords.*.words': 'Words',
    'keywords.*.words.*': 'Words',
    'keywords.*.text': 'Answer',
    'keywords.*.departmentId': 'Department',
    'keywords.*.subcategoryId': 'Subcategory',
  },
);
