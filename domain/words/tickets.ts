import type { TicketEventKind } from '../ticket-posting.ts';
import { type Dictionary, dictionary } from './dictionary.ts';

/** The labels of a ticket's fields, its statuses and causes, in pages and in files. */
export const ticketLabels = dictionary(
  {
    statuses: { open: 'Aberto', in_progress: 'Em andamento', waiting: 'Aguardando', finished: 'Finalizado' },
    causes: { reply: 'Resposta do cliente', send: 'Envio do SMS' },
    number: 'Atendimento',
    name: 'Nome',
    phone: 'Telefone',
    code: 'Código',
    campaign: 'Campanha',
    run: 'Execução',
    opened: 'Aberto em',
    updated: 'Alterado em',
    finished: 'Finalizado em',
    cause: 'Motivo',
    extra: 'Campos extras',
    notes: 'Notas internas',
    firstWrote: 'Primeira mensagem do cliente',
    firstAnswered: 'Primeira resposta',
    answerDue: 'Responder até',
    fields: {
      status: 'Status do atendimento',
      departmentId: 'Setor',
      assigneeId: 'Responsável',
      categoryId: 'Tipo de ocorrência',
      subcategoryId: 'Ocorrência',
      resolutionId: 'Solução',
      userId: 'Atendente',
      'extra.*': 'Campo extra',
    },
  },
  {
    statuses: { open: 'Open', in_progress: 'In progress', waiting: 'Waiting', finished: 'Finished' },
    causes: { reply: 'Reply from the customer', send: 'SMS sent' },
    number: 'Ticket',
    name: 'Name',
    phone: 'Phone',
    code: 'Code',
    campaign: 'Campaign',
    run: 'Run',
    opened: 'Opened',
    updated: 'Changed',
    finished: 'Finished',
    cause: 'Cause',
    extra: 'Extra fields',
    notes: 'Internal notes',
    firstWrote: 'First message of the customer',
    firstAnswered: 'First answer',
    answerDue: 'Answer due',
    fields: {
      status: 'Status',
      departmentId: 'Department',
      assigneeId: 'Assignee',
      categoryId: 'Category',
      subcategoryId: 'Subcategory',
      resolutionId: 'Resolution',
      userId: 'Agent',
      'extra.*': 'Extra field',
    },
  },
);

/** The labels of the automatic moves of tickets, by their paths. */
export const ticketAutomationFieldLabels = dictionary(
  {
    reopenOnReply: 'O cliente escreveu: de Aguardando para Aberto',
    waitOnAnswer: 'O atendente respondeu: para Aguardando',
    finishAfterDays: 'Finalizar depois de quantos dias em Aguardando',
    finishResolutionId: 'Com a solução',
  },
  {
    reopenOnReply: 'The customer wrote: from Waiting to Open',
    waitOnAnswer: 'An agent answered: to Waiting',
    finishAfterDays: 'Finish after this many days in Waiting',
    finishResolutionId: 'With the resolution',
  },
);

/** What is posted to the helpdesk. */
export const ticketEventLabels: Dictionary<Readonly<Record<TicketEventKind, string>>> = dictionary(
  {
    opened: 'Aberto',
    changed: 'Alterado por um usuário',
    reply: 'O cliente respondeu de novo',
    receipt: 'Um recibo corrigiu a solução',
    note: 'Nota interna',
    answer: 'Resposta por SMS ao cliente',
  },
  {
    opened: 'Opened',
    changed: 'Changed by a user',
    reply: 'The customer answered again',
    receipt: 'A receipt corrected the resolution',
    note: 'Internal note',
    answer: 'Answer by SMS to the customer',
  },
);

/** The labels of the posts to the helpdesk, by their paths. */
export const ticketPostingFieldLabels = dictionary(
  {
    enabled: 'Enviar ao helpdesk',
    url: 'Endereço do helpdesk',
    events: 'O que é enviado',
    secret: 'Segredo da assinatura',
    headers: 'Cabeçalhos',
    'headers.*.name': 'Cabeçalho',
    'headers.*.value': 'Valor',
  },
  {
    enabled: 'Post to the helpdesk',
    url: "The helpdesk's address",
    events: 'What is posted',
    secret: 'Signature secret',
    headers: 'Headers',
    'headers.*.name': 'Header',
    'headers.*.value': 'Value',
  },
);
