import { ticketEventLabels, ticketPostingFieldLabels } from '../../domain/words/tickets.ts';
import { counted, dictionary } from '../kit/dictionary.ts';

/** Tickets that are posted to the helpdesk. */
export const ticketPostWords = dictionary(
  {
    page: { title: 'Helpdesk', about: 'Para onde aberturas e mudanças de atendimentos são enviadas' },
    posts: { title: 'Envios ao helpdesk', about: 'O que foi enviado, o que espera e o que falhou' },
    intro:
      'Cada acontecimento escolhido é enviado, assinado, por POST ao endereço. Enquanto o helpdesk não responde, os envios esperam; os SMS seguem saindo.',
    waiting: 'Esperando',
    failed: 'Falharam',
    seePosts: 'Ver os envios',
    seeSettings: 'Configurar',
    states: { waiting: 'Esperando', delivered: 'Entregue', failed: 'Falhou' },
    event: 'Acontecimento',
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
      counted(count, 'envio que falhou é tentado de novo.', 'envios que falharam são tentados de novo.'),
    replayFailedNote: 'O helpdesk reconhece repetições pelo número do acontecimento.',
    replayFailedDone: (count: string) =>
      counted(count, 'envio será tentado de novo.', 'envios serão tentados de novo.'),
    empty: 'Nenhum envio',
    emptyText: 'O que acontece com os atendimentos aparece aqui depois que o envio é habilitado.',
    secretStored:
      'Já guardado. Deixe em branco para manter; com outro servidor no endereço, informe de novo.',
    headers: 'Cabeçalhos',
    headersHelp: 'Enviados junto, como Authorization. São guardados cifrados e nunca mais mostrados.',
    secretHelp:
      'De 24 a 200 caracteres sem espaços. Com ele o helpdesk confere a assinatura: copie-o agora, não será mostrado de novo.',
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
