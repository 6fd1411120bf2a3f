import { ticketEventLabels, ticketPostingFieldLabels } from '../../domain/words/tickets.ts';
import { counted, dictionary } from '../kit/dictionary.ts';

/** Tickets that are posted to the helpdesk. */
export const ticketPostWords = dictionary(
  {
    page: { title: 'Helpdesk', about: 'Para onde aberturas e mudanças de atendimentos são enviadas' },
    posts: { title: 'Envios ao helpdesk', about: 'O que foi enviado, o que espera e o que falhou' },
    intro:
      'Cada evento escolhido é enviado ao endereço por POST, com assinatura. Enquanto o helpdesk não responde, os envios esperam; os SMS continuam a ser enviados.',
    waiting: 'Esperando',
    failed: 'Falharam',
    seePosts: 'Ver os envios',
    seeSettings: 'Configurar',
    states: { waiting: 'Esperando', delivered: 'Entregue', failed: 'Falhou' },
    event: 'Evento',
    events: ticketEventLabels['pt-BR'],
    fields: ticketPostingFieldLabels['pt-BR'],
    ticket: 'Atendimento',
    attempts: 'Tentativas',
    queued: 'Desde',
    answer: 'Resposta',
    noAnswer: 'Sem resposta',
    replay: 'Enviar de novo',
    replayed: 'Será enviado de novo.',
    replayFailed: 'Reenviar os que falharam',
    replayFailedTitle: 'Reenviar os que falharam?',
    replayFailedText: (count: string) =>
      counted(count, 'envio que falhou será repetido.', 'envios que falharam serão repetidos.'),
    replayFailedNote: 'O helpdesk reconhece repetições pelo número do evento.',
    replayFailedDone: (count: string) => counted(count, 'envio será repetido.', 'envios serão repetidos.'),
    empty: 'Nenhum envio',
    emptyText: 'Os eventos dos atendimentos aparecem aqui depois que o envio é habilitado.',
    secretStored: 'Já salvo. Deixe em branco para manter; se mudar o servidor no endereço, informe de novo.',
    headers: 'Cabeçalhos',
    headersHelp:
      'Enviados com cada POST, como Authorization. São salvos com criptografia e nunca mais mostrados.',
    secretHelp:
      'De 24 a 200 caracteres sem espaços. O helpdesk confere a assinatura com ele. Copie-o agora: ele não será mostrado de novo.',
  },
  {
    page: { title: 'Helpdesk', about: 'Where new and changed tickets are posted' },
    posts: { title: 'Posts to the helpdesk', about: 'Delivered, waiting and failed posts' },
    intro:
      'Each selected event is posted to the address, signed. While the helpdesk does not respond, posts wait; SMS are still sent.',
    waiting: 'Waiting',
    failed: 'Failed',
    seePosts: 'See the posts',
    seeSettings: 'Set up',
    states: { waiting: 'Waiting', delivered: 'Delivered', failed: 'Failed' },
    event: 'Event',
    events: ticketEventLabels.en,
    fields: ticketPostingFieldLabels.en,
    ticket: 'Ticket',
    attempts: 'Attempts',
    queued: 'Since',
    answer: 'Response',
    noAnswer: 'No response',
    replay: 'Post again',
    replayed: 'It will be posted again.',
    replayFailed: 'Post the failed ones again',
    replayFailedTitle: 'Post the failed ones again?',
    replayFailedText: (count) =>
      counted(count, 'failed post will be tried again.', 'failed posts will be tried again.'),
    replayFailedNote: 'The helpdesk recognizes repetitions by the number of the event.',
    replayFailedDone: (count) => `${counted(count, 'post', 'posts')} will be tried again.`,
    empty: 'No post',
    emptyText: 'Events of tickets appear here once posting is enabled.',
    secretStored:
      'Already stored. Leave it empty to keep it; if you change the server in the address, enter it again.',
    headers: 'Headers',
    headersHelp:
      'Sent with each post, such as Authorization. They are stored encrypted, and never shown again.',
    secretHelp:
      '24 to 200 characters without spaces. The helpdesk uses it to verify the signature. Copy it now: it will not be shown again.',
  },
);
