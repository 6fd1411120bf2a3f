import { counted, dictionary } from '../kit/dictionary.ts';

/** Phones that have probably opted out, and wait for a user's decision. */
export const holdWords = dictionary(
  {
    title: 'Descadastros prováveis',
    waiting: (count: string) =>
      `${counted(count, 'descadastro provável espera', 'descadastros prováveis esperam')} a sua decisão`,
    intro:
      'Estas respostas parecem pedidos para não receber mais mensagens, mas não são palavras de descadastro, ou vêm de alguém que não é o cliente (“número errado”). Nada é enviado a estes telefones até um usuário decidir; depois do prazo, eles são descadastrados.',
    phone: 'Telefone',
    text: 'Resposta',
    noText: 'A resposta foi apagada.',
    answers: 'Responde a',
    nobody: 'Nenhum SMS enviado por aqui',
    due: 'Decidir até',
    decision: 'Decisão',
    optOut: 'Descadastrar',
    release: 'Não quis sair',
    inSandbox: 'Celular virtual',
    ticket: (id: string) => `Atendimento ${id}`,
    optedOut: 'Telefone descadastrado.',
    released: 'O telefone volta a receber mensagens.',
    decide: 'Decidir',
    oldest: 'O mais antigo é de',
    empty: 'Nada a decidir',
    emptyText: 'Clientes que respondem algo como “quero sair” ou “me tira dessa lista” aparecem aqui.',
  },
  {
    title: 'Probable opt-outs',
    waiting: (count) =>
      `${counted(count, 'probable opt-out waits', 'probable opt-outs wait')} for your decision`,
    intro:
      'These replies seem to ask for no more messages, but are not opt-out words, or come from someone who is not the customer (“wrong number”). Nothing is sent to these phones until a user decides; after the last day they are opted out.',
    phone: 'Phone',
    text: 'Reply',
    noText: 'The reply was deleted.',
    answers: 'Answers',
    nobody: 'None of our SMS',
    due: 'Decide by',
    decision: 'Decision',
    optOut: 'Opt out',
    release: 'Not an opt-out',
    inSandbox: 'Virtual phone',
    ticket: (id) => `Ticket ${id}`,
    optedOut: 'The phone is opted out.',
    released: 'The phone can get messages again.',
    decide: 'Decide',
    oldest: 'The oldest came on',
    empty: 'Nothing to decide',
    emptyText: 'Customers who answer something like “quero sair” or “take me off your list” appear here.',
  },
);
